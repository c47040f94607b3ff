// The training job's part that lets go of the cores while its run is paused or ends, and lets time pass that nobody
// saw.
#include <fmt/format.h>

#include <algorithm>

#include "coordinator/rounds/launches.h"
#include "coordinator/rounds/training.h"

namespace srlm::rounds {
Result<bool> Training::Hold() {
  stop_ = true;  // told with the answer to its next report
  if (!launched_) return true;
  if (launcher_ == nullptr) {  // somebody else's ranks: they end by themselves, and their start is asked for again
    launched_ = false;
    return true;
  }
  SRLM_ASSIGN_OR_RETURN(const launcher::LaunchStatus status, launcher_->Poll(spec_.id));
  if (!status.running) {
    launched_ = false;
    SRLM_RETURN_IF_ERROR(RecordEnd(context_, spec_.id, status.reason));
    SRLM_RETURN_IF_ERROR(
        context_.Event("info", job_.round, "job_held",
                       fmt::format("{} ended after {} of {} steps", job_.job_id, row_.step, row_.total_steps)));
    return true;
  }
  if (!hold_by_) hold_by_ = Deadline::AfterSeconds(context_.config.trainer.stop_timeout_s);
  if (hold_by_->Expired()) SRLM_RETURN_IF_ERROR(launcher_->Stop(spec_.id, Deadline::AfterSeconds(kStopGraceSeconds)));
  return false;
}

void Training::Extend(Clock::duration span, Clock::time_point now) {
  heard_ = std::min(heard_ + span, now);
  for (std::optional<Deadline>* by : {&end_by_, &hold_by_})
    if (*by) *by = Deadline::After((*by)->Left() + span);
}

void Training::Release() {
  stop_ = false;
  hold_by_.reset();
  next_start_ = {};
}

}  // namespace srlm::rounds
