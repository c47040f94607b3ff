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
#include "coordinator/schedule/item_times.h"
#include "srlm/v1/work.pb.h"

namespace srlm::schedule {

/// What an item is about: where its result belongs in the ledger.
struct Subject {
  v1::Purpose purpose = v1::PURPOSE_UNSPECIFIED;
  int round = 0;
  std::string prompt_id;  // of candidates and votes, as the next
  int position = 0;       // of the prompt in its round
  int index = 0;          // attempt, sample or answer
  int first = 0;          // of comparisons of judgements: the votes, in the order shown
  int second = 0;
  std::string model;      // of evaluations: "M1"
  std::string other;      // of comparisons: the model that it is compared with
  bool backward = false;  // of comparisons: the other's answer stands first
  bool expected = false;  // of votes and evaluations: by the digits' probabilities, not by sampled texts
};

struct WorkItem {
  v1::Item item;  // id, purpose and model; the rest is made when it is first wanted
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
  int lease_items = 32;         // most items of one lease
  int max_tries = 3;            // deaths, the last one alone, before an item is set aside
  double straggler_factor = 3;  // an item that is out for so many medians is leased a second time
  uint64_t epoch = 1;           // of the coordinator, so that no lease is taken for one of an earlier coordinator
};

/// A lease as its worker gets it; no items: nothing to lease now.
struct Lease {
  std::string lease_id;
  std::vector<const v1::Item*> items;  // all of one model; valid until the queue changes
  bool again = false;                  // of stragglers, which another worker holds too
};

/// What a worker no longer has.
struct Lost {
  std::vector<std::string> lease_ids;  // ended, or never its own
  std::vector<std::string> item_ids;   // stragglers that another worker has finished; said once
};

/// What ran out.
struct Expired {
  std::vector<std::string> worker_ids;  // whose leases ended
  std::vector<FailedTry> set_aside;     // items that had used up their tries
};

/// Called from one thread. Time is handed in, so that a test can choose it.
///
/// Who is to blame: a worker's death is a try of every item it held, and of no other. An item that was there at a death
/// is a suspect: it is leased alone to a worker that holds nothing, so that the next death can only be its own, and it
/// is set aside after max_tries deaths of which the last found it alone. A lease that runs out blames nobody, since the
/// worker may have been stopped and not stuck; when that worker is ended for it, its death is a try of what it held.
/// Nothing is set aside before its model is known to load: a death may be that of loading it. So other work of it is
/// tried first, then another suspect each time, until something is finished or a worker says that it has the model.
class WorkQueue {
 public:
  using Time = Clock::time_point;
  explicit WorkQueue(QueueOptions options) : options_(options) {}

  /// Adds an item that was tried `tries` times before. False when its id is there.
  bool Add(WorkItem work, int tries = 0);

  /// Items for a worker: a suspect alone when it holds nothing; else those of the model it has loaded first, by
  /// priority, its preferred ones before others; and when nothing waits, items that are out with another worker for
  /// straggler_factor medians of their purpose (the first result wins).
  Lease LeaseTo(const std::string& worker_id, const std::string& loaded_model_id, int max_items, Time now);

  /// Extends the leases that still stand, and says what is lost.
  Lost Renew(const std::string& worker_id, const std::vector<std::string>& lease_ids, Time now);

  /// The item, waiting or leased; null when it is finished or was never there.
  const WorkItem* Find(const std::string& item_id) const;
  /// Puts in the rest of an item. The pointers that leases gave stay valid.
  void Complete(const std::string& item_id, v1::Item item);
  /// Gives up an item that cannot be made, whoever holds it.
  void Remove(const std::string& item_id);
  /// Takes a finished item out, whoever holds it; `lease_id`: of the result. Another holder finds it lost at Renew.
  void Finish(const std::string& item_id, const std::string& lease_id, Time now);
  /// A try failed for a reason of its own (a result that does not match): the item goes back or is set aside.
  std::optional<FailedTry> FailTry(const std::string& item_id, const std::string& reason);

  /// Ends leases past their deadline; their items go back.
  Expired Expire(Time now);
  /// The worker made progress: it is not stuck with what it lost by Expire.
  void Forgive(const std::string& worker_id) { overdue_.erase(worker_id); }
  /// A worker is gone. `blame`: it died, which counts as a try of each item that it held or lost by Expire.
  std::vector<FailedTry> Drop(const std::string& worker_id, bool blame, const std::string& reason);
  /// Gives every lease so much longer: this process was stopped, not the workers.
  void Extend(std::chrono::nanoseconds span);

  size_t waiting() const { return entries_.size() - leased_; }
  size_t leased() const { return leased_; }
  bool empty() const { return entries_.empty(); }
  size_t LeasedTo(const std::string& worker_id) const;
  /// Items finished or set aside since the queue was made.
  uint64_t finished() const { return finished_; }

 private:
  using Key = std::tuple<int, uint64_t, std::string>;  // priority, order of arrival, item id
  struct Entry {
    WorkItem work;
    uint64_t order = 0;
    int tries = 0;
    std::set<std::string> lease_ids;  // empty: it waits; two: a straggler
  };
  struct Held {
    std::string worker_id;
    Time begun;
    Time deadline;
    std::set<std::string> item_ids;
    bool alone = false;
  };
  // Waiting items of one model: by preferred worker ("" for any).
  using Waiting = std::map<std::string, std::set<Key>>;

  static Key KeyOf(const Entry& entry) { return {entry.work.priority, entry.order, entry.work.item.item_id()}; }
  void PutWaiting(const Entry& entry);
  void TakeWaiting(const Entry& entry);
  std::set<Key>* BestList(Waiting& waiting, const std::string& worker_id);
  Entry* NextSuspect();
  Waiting* BestModel(const std::string& loaded_model_id);
  std::vector<Entry*> TakeOrdinary(const std::string& worker_id, const std::string& loaded_model_id, size_t most);
  std::vector<Entry*> FindStragglers(const std::string& worker_id, const std::string& loaded_model_id, size_t most,
                                     Time now);
  bool IsStraggler(const Entry& entry, const std::string& worker_id, Time now) const;
  Lease MakeLease(const std::string& worker_id, const std::vector<Entry*>& entries, bool alone, Time now);
  void EndLease(Entry& entry, const std::string& lease_id);
  bool MayBeSetAside(const Entry& entry) const;
  FailedTry Blame(Entry& entry, const std::string& reason, bool may_set_aside);

  QueueOptions options_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Waiting> waiting_;  // by model id, without the suspects
  std::set<Key> suspects_;                  // waiting to be leased alone
  std::map<std::string, Held> leases_;
  std::map<std::string, std::vector<std::string>> lost_;  // items of a worker that others have finished
  std::map<std::string, std::set<std::string>> overdue_;  // items that a worker lost by Expire and may be stuck with
  std::set<std::string> loads_;                           // models that a worker has had loaded
  ItemTimes times_;
  uint64_t next_order_ = 0;
  uint64_t next_lease_ = 0;
  uint64_t finished_ = 0;
  size_t leased_ = 0;
};

}  // namespace srlm::schedule
