// Work that waits, work that is leased, and what happens to it when its worker does not come back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/clock.h"
#include "srlm/v1/work.pb.h"

namespace srlm::schedule {

/// What an item is about: where its result belongs in the ledger.
struct Subject {
  v1::Purpose purpose = v1::PURPOSE_UNSPECIFIED;
  int round = 0;
  std::string prompt_id;  // of candidates and votes
  int index = 0;          // attempt, sample or answer
  std::string model;      // of evaluations: "M1"
  bool expected = false;  // of votes and evaluations: the expected verdict, not sampled ones
};

struct WorkItem {
  v1::Item item;
  Subject subject;
  int priority = 0;              // lower ones are leased first
  std::string preferred_worker;  // has the item's prefix in its cache; empty: any
};

/// An item whose try came to nothing.
struct FailedTry {
  WorkItem work;
  int tries = 0;           // so far
  bool set_aside = false;  // it was the last one: the item is no longer in the queue
  std::string reason;
};

struct QueueOptions {
  std::chrono::nanoseconds lease_timeout = std::chrono::seconds(120);
  int lease_items = 32;  // most items of one lease
  int max_tries = 3;
};

/// A lease as its worker gets it; no items: nothing to lease now.
struct Lease {
  std::string lease_id;
  std::vector<const v1::Item*> items;  // all of one model; valid until the queue changes
};

/// Called from one thread. Time is handed in, so that a test can choose it.
class WorkQueue {
 public:
  using Time = Clock::time_point;
  explicit WorkQueue(QueueOptions options) : options_(options) {}

  /// Adds an item that was tried `tries` times before. False when its id is there.
  bool Add(WorkItem work, int tries = 0);

  /// Items for a worker, first those of the model it has loaded, by priority, its preferred ones before others. An
  /// item on its last try is leased alone to a worker that holds nothing, so that a crash can only be its own.
  Lease LeaseTo(const std::string& worker_id, const std::string& loaded_model_id, int max_items, Time now);

  /// Extends the leases that still stand, and returns the others.
  std::vector<std::string> Renew(const std::string& worker_id, const std::vector<std::string>& lease_ids, Time now);

  /// The item, waiting or leased; null when it is finished or was never there.
  const WorkItem* Find(const std::string& item_id) const;
  /// Takes a finished item out, whoever holds it.
  void Finish(const std::string& item_id);
  /// A try failed for a reason of its own (a result that does not match): the item goes back or is set aside.
  std::optional<FailedTry> FailTry(const std::string& item_id, const std::string& reason);

  /// Ends leases past their deadline; their items go back, or are set aside after the last try.
  std::vector<FailedTry> Expire(Time now);
  /// A worker is gone. `blame`: it died, which counts as a try of each item it held.
  std::vector<FailedTry> Drop(const std::string& worker_id, bool blame, const std::string& reason);

  size_t waiting() const { return entries_.size() - leased_; }
  size_t leased() const { return leased_; }
  bool empty() const { return entries_.empty(); }
  size_t LeasedTo(const std::string& worker_id) const;
  /// Items finished since the queue was made.
  uint64_t finished() const { return finished_; }

 private:
  using Key = std::tuple<int, uint64_t, std::string>;  // priority, order of arrival, item id
  struct Entry {
    WorkItem work;
    uint64_t order = 0;
    int tries = 0;
    std::string lease_id;  // empty: it waits
  };
  struct Held {
    std::string worker_id;
    Time deadline;
    std::set<std::string> item_ids;
    bool alone = false;
  };
  // Waiting items of one model: by preferred worker ("" for any).
  using Waiting = std::map<std::string, std::set<Key>>;

  static Key KeyOf(const Entry& entry) { return {entry.work.priority, entry.order, entry.work.item.item_id()}; }
  bool IsLastTry(const Entry& entry) const { return entry.tries > 0 && entry.tries + 1 >= options_.max_tries; }
  void PutWaiting(const Entry& entry);
  void TakeWaiting(const Entry& entry);
  std::set<Key>* BestList(Waiting& waiting, const std::string& worker_id);
  Waiting* BestModel(const std::string& loaded_model_id);
  void EndLeaseOf(Entry& entry);
  FailedTry GoBack(Entry& entry, const std::string& reason);

  QueueOptions options_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Waiting> waiting_;  // by model id
  std::set<Key> last_tries_;                // waiting to be leased alone
  std::map<std::string, Held> leases_;
  uint64_t next_order_ = 0;
  uint64_t next_lease_ = 0;
  uint64_t finished_ = 0;
  size_t leased_ = 0;
};

}  // namespace srlm::schedule
