// The work queue's part that finds out which item is to blame.
#include <fmt/format.h>

#include <algorithm>

#include "coordinator/schedule/work_queue.h"

namespace srlm::schedule {

bool WorkQueue::MayBeSetAside(const Entry& entry) const {
  return entry.tries >= options_.max_tries && loads_.contains(entry.work.item.model_id());
}

// Another try of an item that is not leased to the one who failed (any more).
FailedTry WorkQueue::Blame(Entry& entry, const std::string& reason, bool may_set_aside) {
  if (entry.lease_ids.empty()) TakeWaiting(entry);
  ++entry.tries;
  const bool set_aside = may_set_aside && entry.lease_ids.empty() && MayBeSetAside(entry);
  if (!loads_.contains(entry.work.item.model_id())) entry.order = next_order_++;  // behind the other suspects
  FailedTry failed{entry.work, entry.tries, set_aside, reason};
  if (set_aside) {
    entries_.erase(failed.work.item.item_id());
    ++finished_;
  } else if (entry.lease_ids.empty()) {
    PutWaiting(entry);
  }
  return failed;
}

std::optional<FailedTry> WorkQueue::FailTry(const std::string& item_id, const std::string& reason) {
  const auto at = entries_.find(item_id);
  if (at == entries_.end()) return std::nullopt;
  for (const std::string& id : std::set<std::string>(at->second.lease_ids)) EndLease(at->second, id);
  return Blame(at->second, reason, true);
}

Expired WorkQueue::Expire(Time now) {
  Expired expired;
  std::vector<std::pair<std::string, Held>> over;
  for (const auto& [id, held] : leases_)
    if (held.deadline <= now) over.emplace_back(id, held);
  for (const auto& [lease_id, held] : over) {
    if (std::ranges::find(expired.worker_ids, held.worker_id) == expired.worker_ids.end())
      expired.worker_ids.push_back(held.worker_id);
    for (const std::string& item_id : held.item_ids) {
      Entry& entry = entries_.at(item_id);
      EndLease(entry, lease_id);
      if (!entry.lease_ids.empty()) continue;
      if (held.alone && MayBeSetAside(entry)) {  // its deaths were counted while it was leased again
        expired.set_aside.push_back(
            {entry.work, entry.tries, true, fmt::format("worker {} made no progress on it either", held.worker_id)});
        entries_.erase(item_id);
        ++finished_;
        continue;
      }
      overdue_[held.worker_id].insert(item_id);
      PutWaiting(entry);
    }
  }
  return expired;
}

std::vector<FailedTry> WorkQueue::Drop(const std::string& worker_id, bool blame, const std::string& reason) {
  std::set<std::string> items;
  if (const auto overdue = overdue_.find(worker_id); blame && overdue != overdue_.end())
    std::ranges::copy_if(overdue->second, std::inserter(items, items.end()),
                         [&](const std::string& id) { return entries_.contains(id); });
  overdue_.erase(worker_id);
  lost_.erase(worker_id);
  std::vector<std::pair<std::string, std::string>> held_items;  // lease, item
  for (const auto& [id, held] : leases_) {
    if (held.worker_id != worker_id) continue;
    for (const std::string& item : held.item_ids) held_items.emplace_back(id, item);
  }
  for (const auto& [lease_id, item_id] : held_items) {
    Entry& entry = entries_.at(item_id);
    EndLease(entry, lease_id);
    if (entry.lease_ids.empty()) PutWaiting(entry);
    if (blame) items.insert(item_id);
  }
  std::vector<FailedTry> failed;
  for (const std::string& id : items) failed.push_back(Blame(entries_.at(id), reason, items.size() == 1));
  // What waited for this worker is now anybody's.
  for (auto& [id, entry] : entries_) {
    if (entry.work.preferred_worker != worker_id) continue;
    const bool waits = entry.lease_ids.empty();
    if (waits) TakeWaiting(entry);
    entry.work.preferred_worker.clear();
    if (waits) PutWaiting(entry);
  }
  return failed;
}

}  // namespace srlm::schedule
