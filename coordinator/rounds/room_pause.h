// The pause of a run whose disk has no room: on the coordinator's thread, which answers its callers meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "coordinator/ledger/owner_lock.h"
#include "coordinator/rounds/context.h"
#include "coordinator/rounds/controls.h"
#include "coordinator/rounds/room.h"
#include "coordinator/rounds/status_board.h"
#include "coordinator/schedule/loop.h"

namespace srlm::rounds {

/// While it waits, workers and trainers are told ResourceExhausted: nothing of theirs is taken, and they keep it. The
/// memory of the coordinator stays as it is, since the write that had no room is made when there is some.
class RoomPause final : public RoomWaiter {
 public:
  /// `ends`: whether the coordinator was told to end. From this thread.
  RoomPause(const Context& context, schedule::Loop& loop, StatusBoard& board, const Controls& controls,
            ledger::OwnerLock& owner, std::function<bool()> ends);

  /// Before anything fails, once a second: waits as long as there is too little room. Comes back early, and well, when
  /// a person wants something else. Records the pauses that there were. Aborted when the run was taken over.
  Status Watch(Clock::time_point now);

  // RoomWaiter
  Status WaitAfter(const Status& failure) override;
  Result<bool> WaitFor(const RoomNeed& need) override;
  int pauses() const override { return pauses_; }

 private:
  bool CalledOff(bool failed) const;
  Result<bool> Wait(std::string reason, const std::string& failure, const RoomNeed& need);

  const Context& context_;
  schedule::Loop& loop_;
  StatusBoard& board_;
  const Controls& controls_;
  ledger::OwnerLock& owner_;
  std::function<bool()> ends_;
  Room room_;
  Clock::time_point look_at_{};
  int pauses_ = 0;
  std::vector<std::string> unrecorded_;
};

}  // namespace srlm::rounds
