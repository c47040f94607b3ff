#include "coordinator/rounds/context.h"

#include "common/base/clock.h"
#include "common/base/log.h"

namespace srlm::rounds {

Status Context::Event(const std::string& level, int round, const std::string& event, const std::string& message) const {
  if (level == "info")
    LogInfo(event, {{"round", round}, {"message", message}});
  else
    LogWarning(event, {{"round", round}, {"level", level}, {"message", message}});
  return ledger.AddEvent({0, WallClockMs(), epoch, round, level, event, message});
}

Status Context::WithRoom(const std::function<Status()>& f) const {
  Status status = f();
  while (status.code() == Code::kResourceExhausted && room != nullptr) {
    SRLM_RETURN_IF_ERROR(room->WaitAfter(status));
    status = f();
  }
  return status;
}

Status Context::Enqueue(schedule::WorkItem work) const {
  SRLM_ASSIGN_OR_RETURN(const auto fault, ledger.ItemFault(work.item.item_id()));
  queue.Add(std::move(work), fault ? fault->tries : 0);
  return OkStatus();
}

Status Context::RecordFailedTries(const std::vector<schedule::FailedTry>& failed) const {
  for (const schedule::FailedTry& each : failed) {
    const std::string& id = each.work.item.item_id();
    const int round = each.work.subject.round;
    SRLM_RETURN_IF_ERROR(ledger.SetItemFault(
        {id, round, PurposeName(each.work.subject.purpose), each.tries, each.set_aside, each.reason}));
    if (!each.set_aside) continue;
    SRLM_RETURN_IF_ERROR(Event("warning", round, "item_set_aside", id + ": " + each.reason));
    SRLM_RETURN_IF_ERROR(set_aside(each.work.subject, each.reason));
  }
  return OkStatus();
}

std::string PurposeName(v1::Purpose purpose) {
  switch (purpose) {
    case v1::PURPOSE_NEW_PROMPT: return "new_prompt";
    case v1::PURPOSE_CANDIDATE: return "candidate";
    case v1::PURPOSE_VOTE: return "vote";
    case v1::PURPOSE_EVALUATION: return "evaluation";
    case v1::PURPOSE_ANCHOR: return "anchor";
    case v1::PURPOSE_LIKELIHOOD: return "likelihood";
    case v1::PURPOSE_EVALUATION_ANSWER: return "evaluation_answer";
    case v1::PURPOSE_COMPARISON: return "comparison";
    case v1::PURPOSE_HELD_OUT: return "held_out";
    case v1::PURPOSE_META_VOTE: return "meta_vote";
    default: return "unspecified";
  }
}

}  // namespace srlm::rounds
