// How long a Slurm job has, as Slurm says: an administrator may change it at any time.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "coordinator/launcher/background_command.h"

namespace srlm::launcher {

/// What the time that a job has left asks for.
enum class JobTime {
  kEnough,
  kEnding,  // end in order
  kOver,    // end without waiting for anybody
};

/// The time from which a job is to end, and from which it is to hurry, in seconds before its end.
struct JobMargins {
  double ending_s = 0;
  double over_s = 0;
};

/// `drain_s`, or half of `left_s` where that is less, so that a short job does something, too; a quarter of it, but
/// where there is room for them 20 s, is kept for ending in a hurry.
JobMargins MarginsOf(double drain_s, double left_s);

/// Asks `squeue` every 30 s and counts down between. One thread owns it; no call waits.
class SlurmClock {
 public:
  /// `drain_s`: how long before the end of job `job_id` it is to end.
  SlurmClock(std::string job_id, double drain_s) : job_id_(std::move(job_id)), drain_s_(drain_s) {}

  /// Asks where that is due, and takes the answer where it has come.
  void Poll(Clock::time_point now);

  /// Until the end of the job; none: it has no limit, or Slurm has not said yet.
  std::optional<double> SecondsLeft(Clock::time_point now) const;

  JobTime Time(Clock::time_point now) const;

 private:
  std::string job_id_;
  double drain_s_;
  std::optional<BackgroundCommand> asking_;
  Clock::time_point ask_at_{};
  std::optional<Clock::time_point> end_;
  std::optional<JobMargins> margins_;  // from the first answer with an end
};

}  // namespace srlm::launcher
