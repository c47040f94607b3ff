// What ends a run that is not done: signals, and the end of its Slurm job.
#pragma once

#include "common/base/clock.h"
#include "coordinator/cli/job_end.h"
#include "coordinator/cli/progress.h"
#include "coordinator/rounds/coordinator.h"

namespace srlm::cli {

/// Tells the coordinator to end, and people why. One thread owns it.
class Stopper {
 public:
  /// `job` null: the run is in no Slurm job.
  Stopper(rounds::Coordinator& coordinator, JobEnd* job, ProgressPrinter& printer)
      : coordinator_(coordinator), job_(job), printer_(printer) {}

  /// SIGINT and SIGHUP are a person's. In a job SIGTERM and SIGUSR1 are a notice of its end at first.
  void OnSignal(int signal);

  /// Looks at the job's time; never waits.
  void LookAtJob(Clock::time_point now);

 private:
  rounds::Coordinator& coordinator_;
  JobEnd* job_;
  ProgressPrinter& printer_;
  bool told_ = false;  // to end
  launcher::JobTime time_ = launcher::JobTime::kEnough;
};

}  // namespace srlm::cli
