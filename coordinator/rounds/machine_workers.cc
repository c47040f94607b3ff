// The state machine's part that notices workers which are stuck or gone, and lets them go while the run is paused.
#include <fmt/format.h>

#include "coordinator/rounds/machine.h"

namespace srlm::rounds {

// A lease that runs out is no proof: its worker has another lease's time to show progress. Then its group is ended,
// which counts as its death. A worker that nobody here started cannot be ended and is forgotten.
Status Machine::WatchWorkers(Clock::time_point now) {
  const auto lease_time = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(context_.config.coordinator.lease_timeout_s));
  const schedule::Expired expired = context_.queue.Expire(now);
  SRLM_RETURN_IF_ERROR(context_.RecordFailedTries(expired.set_aside));
  for (const std::string& id : expired.worker_ids) {
    schedule::Worker* worker = context_.workers.Find(id);
    if (worker == nullptr || worker->overdue_since) continue;
    worker->overdue_since = now;
    SRLM_RETURN_IF_ERROR(context_.Event("warning", round_, "lease_expired", id + " made no progress in its time"));
  }
  for (const std::string& id : context_.workers.OverdueSince(now - lease_time)) {
    SRLM_ASSIGN_OR_RETURN(const bool ours, fleet_.EndStuck(context_.workers.Find(id)->launch_id));
    if (!ours) SRLM_RETURN_IF_ERROR(Forget(id, "is stuck"));
  }
  // A worker calls at least once in a lease's time, whether it works or waits.
  for (const std::string& id : context_.workers.SilentSince(now - 3 * lease_time)) {
    SRLM_RETURN_IF_ERROR(fleet_.EndStuck(context_.workers.Find(id)->launch_id).status());
    SRLM_RETURN_IF_ERROR(Forget(id, "has not been heard for long"));
  }
  return OkStatus();
}

Status Machine::Forget(const std::string& worker_id, const std::string& why) {
  SRLM_RETURN_IF_ERROR(context_.RecordFailedTries(context_.queue.Drop(worker_id, true, worker_id + " " + why)));
  context_.workers.Remove(worker_id);
  return context_.Event("warning", round_, "worker_lost", worker_id + " " + why);
}

Status Machine::SleptFor(Clock::duration span) {
  context_.queue.Extend(span);
  context_.workers.Extend(span);
  fleet_.Extend(span);
  if (training_ != nullptr) training_->Extend(span, Clock::now());
  if (program_votes_ != nullptr) program_votes_->Extend(span);
  return context_.Event("warning", round_, "coordinator_slept",
                        fmt::format("this process did nothing for {:.1f} s: it was stopped, or waited for its disk",
                                    std::chrono::duration<double>(span).count()));
}

Result<bool> Machine::Hold(Clock::time_point now) {
  held_ = true;
  SRLM_RETURN_IF_ERROR(EndProgram("the run was held"));
  SRLM_RETURN_IF_ERROR(WatchWorkers(now));
  SRLM_RETURN_IF_ERROR(fleet_.Advance(now, false));
  if (training_ == nullptr) return fleet_.empty() && context_.queue.leased() == 0;
  SRLM_ASSIGN_OR_RETURN(const bool let_go, training_->Hold());
  return let_go && fleet_.empty();
}

void Machine::Release() {
  held_ = false;
  if (training_ != nullptr) training_->Release();
}

}  // namespace srlm::rounds
