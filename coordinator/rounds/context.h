// What every part of the loop works with. All of it belongs to the coordinator's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/inputs.h"
#include "coordinator/rounds/model_book.h"
#include "coordinator/rounds/room.h"
#include "coordinator/schedule/work_queue.h"
#include "coordinator/schedule/workers.h"

namespace srlm::rounds {

/// A finished item as it is stored.
struct Finished {
  const v1::ItemResult& result;
  const std::vector<std::string>& texts;  // of its samples
  const std::string& worker_id;
};

/// Waits for room on the run's disks, while callers are answered. On the coordinator's thread.
class RoomWaiter {
 public:
  virtual ~RoomWaiter() = default;
  /// After a write that failed for lack of room: ok when it is worth another try; `failure` when it is not waited for.
  virtual Status WaitAfter(const Status& failure) = 0;
  /// Before something is written that needs room. False when a person has called the waiting off.
  virtual Result<bool> WaitFor(const RoomNeed& need) = 0;
  /// How often it has waited: what ended meanwhile may have ended for lack of room, too.
  virtual int pauses() const = 0;
};

struct Context {
  const config::RunConfig& config;
  std::string run_dir;  // absolute
  std::string run_id;
  uint64_t epoch = 0;
  ledger::Ledger& ledger;
  ModelBook& models;
  const Inputs& inputs;
  schedule::WorkQueue& queue;
  schedule::Workers& workers;
  std::function<void(const std::string&)> notice;  // lines for people
  /// What the state machine does about an item that is given up.
  std::function<Status(const schedule::Subject&, const std::string& reason)> set_aside;
  int round = 0;               // in progress, for events that belong to no other
  RoomWaiter* room = nullptr;  // null until the run's work begins
  /// Called in a turn that did a slice of something long: the next turn comes at once, after the calls that wait.
  std::function<void()> turn_again = [] {};

  /// The outcome of `f`, which writes files, tried again for as long as the disk has no room for them.
  Status WithRoom(const std::function<Status()>& f) const;

  /// Records an event and logs it. `level`: info, warning, error.
  Status Event(const std::string& level, int round, const std::string& event, const std::string& message) const;
  /// Adds an item, unless it was set aside before; earlier tries count.
  Status Enqueue(schedule::WorkItem work) const;
  /// Notes tries that came to nothing, and gives up the items whose last one it was.
  Status RecordFailedTries(const std::vector<schedule::FailedTry>& failed) const;
};

/// The name of a purpose in the ledger.
std::string PurposeName(v1::Purpose purpose);

}  // namespace srlm::rounds
