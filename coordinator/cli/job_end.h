// The end of the Slurm job that a run works in: the run stops in order before it, and the job goes back into the queue.
#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/launcher/slurm_clock.h"
#include "coordinator/launcher/slurm_job.h"

namespace srlm::cli {

/// One thread owns it.
class JobEnd {
 public:
  /// FailedPrecondition when this process is in no Slurm job.
  static Result<std::unique_ptr<JobEnd>> Make(const config::LauncherConfig& config);

  const launcher::SlurmJob& job() const { return job_; }

  /// Looks at the clock; what the run is to do now. Never waits.
  launcher::JobTime Look(Clock::time_point now);

  /// A signal of Slurm's, ahead of the end (`sbatch --signal=B:USR1@300`): the run is to end in order.
  void Notice();

  /// A person ends the run: the job does not go back into the queue.
  void Renounce() { renounced_ = true; }

  /// The job and its time, for people.
  std::string Words(Clock::time_point now) const;

  /// Whether the run was told to end for this.
  bool came() const { return !renounced_ && seen_ != launcher::JobTime::kEnough; }

  /// Puts the job back into the queue, which ends this process.
  Status Requeue() const { return launcher::Requeue(job_); }

 private:
  JobEnd(launcher::SlurmJob job, double drain_s) : job_(std::move(job)), clock_(job_.id, drain_s) {}
  launcher::SlurmJob job_;
  launcher::SlurmClock clock_;
  launcher::JobTime seen_ = launcher::JobTime::kEnough;
  bool renounced_ = false;
};

}  // namespace srlm::cli
