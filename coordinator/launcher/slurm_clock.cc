#include "coordinator/launcher/slurm_clock.h"

#include <algorithm>

#include "common/base/log.h"
#include "coordinator/launcher/slurm_job.h"

namespace srlm::launcher {
namespace {

constexpr std::chrono::seconds kAskEvery(30);
constexpr double kAnswerSeconds = 20;
constexpr double kHurrySeconds = 20;  // to stop all ranks, with what they need to notice it

}  // namespace

JobMargins MarginsOf(double drain_s, double left_s) {
  const double ending_s = std::min(drain_s, left_s / 2);
  return {ending_s, std::max(ending_s / 4, std::min(kHurrySeconds, ending_s / 2))};
}

void SlurmClock::Poll(Clock::time_point now) {
  if (!asking_ && now >= ask_at_) {
    ask_at_ = now + kAskEvery;
    auto started = BackgroundCommand::Start(
        {"env", "SLURM_TIME_FORMAT=%s", "squeue", "--noheader", "--jobs=" + job_id_, "--format=%L %e"},
        Deadline::AfterSeconds(kAnswerSeconds));
    if (started.ok())
      asking_ = std::move(*started);
    else
      LogWarning("slurm_time_unknown", {{"reason", started.status().message()}});
  }
  if (!asking_) return;
  const auto answer = asking_->Poll();
  if (!answer) return;
  asking_.reset();
  if (!answer->ok()) {  // what was known is counted on
    LogWarning("slurm_time_unknown", {{"reason", answer->status().message()}});
    return;
  }
  const auto left_s = ParseTimeLeft(**answer, WallClockMs());
  end_.reset();
  if (!left_s) return;
  if (!margins_) margins_ = MarginsOf(drain_s_, *left_s);
  end_ = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*left_s));
}

std::optional<double> SlurmClock::SecondsLeft(Clock::time_point now) const {
  return end_ ? std::optional(SecondsBetween(now, *end_)) : std::nullopt;
}

JobTime SlurmClock::Time(Clock::time_point now) const {
  const auto left_s = SecondsLeft(now);
  if (!left_s || *left_s > margins_->ending_s) return JobTime::kEnough;
  return *left_s > margins_->over_s ? JobTime::kEnding : JobTime::kOver;
}

}  // namespace srlm::launcher
