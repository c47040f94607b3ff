#include "coordinator/rounds/room_pause.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/log.h"

namespace srlm::rounds {
namespace {

constexpr std::chrono::milliseconds kLookEvery(1000);

}  // namespace

RoomPause::RoomPause(const Context& context, schedule::Loop& loop, StatusBoard& board, const Controls& controls,
                     ledger::OwnerLock& owner, std::function<bool()> ends)
    : context_(context),
      loop_(loop),
      board_(board),
      controls_(controls),
      owner_(owner),
      ends_(std::move(ends)),
      room_(context.config.coordinator, context.run_dir) {}

Status RoomPause::Watch(Clock::time_point now) {
  for (const std::string& each : std::exchange(unrecorded_, {}))
    SRLM_RETURN_IF_ERROR(context_.Event("warning", context_.round, "waited_for_room", each));
  if (now < look_at_ || CalledOff(false)) return OkStatus();
  look_at_ = now + kLookEvery;
  return WaitFor({}).status();
}

Status RoomPause::WaitAfter(const Status& failure) {
  if (!loop_.running()) return failure;  // before and after the run's work nobody makes room
  const Status enough = room_.CheckToGoOn({});
  SRLM_ASSIGN_OR_RETURN(const bool again, Wait(enough.message(), failure.message(), {}));
  return again ? OkStatus() : failure;
}

Result<bool> RoomPause::WaitFor(const RoomNeed& need) {
  const Status enough = room_.Check(need);
  if (enough.code() != Code::kResourceExhausted) return true;  // a disk that cannot be looked at shows elsewhere
  return Wait(enough.message(), "", need);
}

// What a person wants instead of waiting. After a failed write only an end can be had: all else is written down.
bool RoomPause::CalledOff(bool failed) const {
  const bool ends = ends_() || loop_.stopped() || controls_.wish() == Controls::Wish::kCancel;
  return ends || (!failed && controls_.wish() != Controls::Wish::kGoOn);
}

// Whether there is room now; not when it was called off. `failure`: of a write; empty: nothing has failed.
Result<bool> RoomPause::Wait(std::string reason, const std::string& failure, const RoomNeed& need) {
  const Clock::time_point began = Clock::now();
  const bool failed = !failure.empty();
  const std::string may_go = room_.WhatMayGo();
  const auto text = [&] {
    const std::string then = "and the run goes on by itself";
    if (reason.empty()) return failure + "; there is room now: tried again, " + then;
    return fmt::format("{}, {}{}{}", reason, then, failed ? " (" + failure + ")" : "", may_go);
  };
  const std::string first = text();
  ++pauses_;
  LogWarning("no_room", {{"message", first}});
  context_.notice("paused: " + first);
  Clock::time_point renew_at{};
  bool room = false;
  while (!room && !CalledOff(failed)) {
    board_.ShowWaiting(text());
    loop_.Refuse(ResourceExhausted("the run is paused: " + text()), kLookEvery);
    if (Clock::now() >= renew_at) {  // a read-only disk does not take it
      if (const Status renewed = owner_.Renew(); renewed.code() == Code::kAborted) return renewed;
      renew_at = Clock::now() +
                 std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(ledger::kRenewSeconds));
    }
    const Status enough = room_.CheckToGoOn(need);
    reason = enough.message();
    room = enough.ok();
  }
  board_.ShowWaiting("");
  const std::string span = fmt::format("{:.0f} s", SecondsSince(began));
  LogWarning("room_again", {{"room", room}, {"waited", span}});
  context_.notice(room ? "there is room again after " + span + ": the run goes on" : "no longer waits for room");
  unrecorded_.push_back(fmt::format("{}: {}", span, first));
  return room;
}

}  // namespace srlm::rounds
