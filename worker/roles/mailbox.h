// Between the thread that computes and the thread that talks to the coordinator.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "srlm/v1/work.pb.h"

namespace srlm::worker {

/// An item and the lease it came with.
struct Assignment {
  std::string lease_id;
  v1::Item item;
  v1::ModelRef model;
};

/// What the coordinator wants of this worker.
struct Orders {
  bool leave = false;          // finish what is held, then end
  bool release_cores = false;  // drop the model's memory: others compute here now
};

/// How the engine is doing, told after every step.
struct EngineReport {
  int room_items = 0;    // more items that the engine could take now, beside those it has taken
  std::string model_id;  // loaded now; empty: none
  v1::WorkerStats stats;
};

/// All members but the count of progress are guarded by one lock; every wait ends after a given time.
class Mailbox {
 public:
  // The computing side.
  std::deque<Assignment> TakeAssignments();
  /// Leases lost since the last call: what was taken of them and has not begun is no longer wanted.
  std::vector<std::string> TakeLostLeases();
  /// Items that others have finished, since the last call: no longer wanted whether they have begun or not.
  std::vector<std::string> TakeLostItems();
  /// `count` taken items will have no result.
  void Forget(size_t count);
  void Report(const EngineReport& report, std::vector<v1::ItemResult> results);
  /// Something was computed or loaded: leases may be renewed. From any thread.
  void Advance() { progress_.fetch_add(1, std::memory_order_relaxed); }
  Orders orders() const;
  /// Not ok when the network side has given up.
  Status failure() const;
  /// Waits for an assignment, an order or a failure.
  void WaitForWork(std::chrono::milliseconds at_most);
  /// Nothing more will be computed: the network side submits what is there and ends.
  void Close(const std::string& reason);

  // The network side.
  void Deliver(std::vector<Assignment> assignments);
  void SetOrders(const Orders& orders);
  void Fail(Status status);
  EngineReport report() const;
  /// Items to lease now: the room of the last report less what was delivered since and is not in it.
  int room_items() const;
  /// How often Advance was called.
  uint64_t progress() const { return progress_.load(std::memory_order_relaxed); }
  /// Results to submit, at most `count` and about `bytes`, but at least one; they stay until Acknowledge.
  std::vector<v1::ItemResult> Outbox(size_t count, size_t bytes) const;
  size_t outbox_size() const;
  void Acknowledge(size_t count);
  /// Items delivered and not yet in the outbox or acknowledged.
  size_t held_items() const;
  /// Drops delivered items, those of these leases and these themselves, that the computing side has not taken, and
  /// tells it of both.
  void DropLost(const std::vector<std::string>& lease_ids, const std::vector<std::string>& item_ids);
  bool closed(std::string* reason) const;
  /// Waits until there is a result to submit, room to fill, or the end.
  void WaitForNews(std::chrono::milliseconds at_most);

 private:
  int RoomItems() const;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // for the computing side
  std::condition_variable news_;  // for the network side
  std::deque<Assignment> inbox_;
  std::deque<v1::ItemResult> outbox_;
  std::vector<std::string> lost_leases_;
  std::vector<std::string> lost_items_;
  EngineReport report_;
  Orders orders_;
  Status failure_;
  size_t held_ = 0;
  size_t unreported_ = 0;  // delivered items that report_ does not know of
  bool orders_changed_ = false;
  bool news_pending_ = false;
  bool closed_ = false;
  std::string close_reason_;
  std::atomic<uint64_t> progress_ = 0;
};

}  // namespace srlm::worker
