#include "coordinator/schedule/work_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace srlm::schedule {

bool WorkQueue::Add(WorkItem work, int tries) {
  const std::string id = work.item.item_id();
  const auto [at, is_new] = entries_.try_emplace(id, Entry{std::move(work), next_order_, tries, ""});
  if (!is_new) return false;
  ++next_order_;
  PutWaiting(at->second);
  return true;
}

void WorkQueue::PutWaiting(const Entry& entry) {
  if (IsLastTry(entry))
    last_tries_.insert(KeyOf(entry));
  else
    waiting_[entry.work.item.model_id()][entry.work.preferred_worker].insert(KeyOf(entry));
}

void WorkQueue::TakeWaiting(const Entry& entry) {
  last_tries_.erase(KeyOf(entry));
  const auto model = waiting_.find(entry.work.item.model_id());
  if (model == waiting_.end()) return;
  const auto list = model->second.find(entry.work.preferred_worker);
  if (list == model->second.end()) return;
  list->second.erase(KeyOf(entry));
  if (list->second.empty()) model->second.erase(list);
  if (model->second.empty()) waiting_.erase(model);
}

// The list whose head this worker should take: of its own and the common one the better head, else the longest
// list of another worker.
std::set<WorkQueue::Key>* WorkQueue::BestList(Waiting& waiting, const std::string& worker_id) {
  std::set<Key>* best = nullptr;
  for (const std::string& name : {worker_id, std::string()}) {
    const auto list = waiting.find(name);
    if (list == waiting.end()) continue;
    if (best == nullptr || std::get<0>(*list->second.begin()) < std::get<0>(*best->begin())) best = &list->second;
  }
  if (best != nullptr) return best;
  for (auto& [name, list] : waiting)
    if (best == nullptr || list.size() > best->size()) best = &list;
  return best;
}

WorkQueue::Waiting* WorkQueue::BestModel(const std::string& loaded_model_id) {
  if (const auto loaded = waiting_.find(loaded_model_id); loaded != waiting_.end()) return &loaded->second;
  Waiting* best = nullptr;
  Key best_key;
  for (auto& [model_id, waiting] : waiting_) {
    for (const auto& [name, list] : waiting) {
      if (best != nullptr && !(*list.begin() < best_key)) continue;
      best = &waiting;
      best_key = *list.begin();
    }
  }
  return best;
}

Lease WorkQueue::LeaseTo(const std::string& worker_id, const std::string& loaded_model_id, int max_items, Time now) {
  const bool holds = LeasedTo(worker_id) > 0;
  for (const auto& [id, held] : leases_)
    if (held.alone && held.worker_id == worker_id) return {};
  std::vector<Entry*> taken;
  const auto take = [&](const std::string& item_id) {
    Entry& entry = entries_.at(item_id);
    TakeWaiting(entry);
    taken.push_back(&entry);
  };
  bool alone = false;
  const int most = std::min(max_items, options_.lease_items);
  if (Waiting* const model = BestModel(loaded_model_id)) {
    const std::string model_id = entries_.at(std::get<2>(*model->begin()->second.begin())).work.item.model_id();
    while (static_cast<int>(taken.size()) < most && waiting_.contains(model_id))
      take(std::get<2>(*BestList(waiting_.at(model_id), worker_id)->begin()));
  } else if (!last_tries_.empty() && !holds && most > 0) {
    take(std::get<2>(*last_tries_.begin()));
    alone = true;
  }
  if (taken.empty()) return {};
  Lease lease{fmt::format("lease-{}", ++next_lease_), {}};
  Held& held = leases_[lease.lease_id];
  held = {worker_id, now + options_.lease_timeout, {}, alone};
  for (Entry* entry : taken) {
    entry->lease_id = lease.lease_id;
    held.item_ids.insert(entry->work.item.item_id());
    lease.items.push_back(&entry->work.item);
    ++leased_;
  }
  return lease;
}

std::vector<std::string> WorkQueue::Renew(const std::string& worker_id, const std::vector<std::string>& lease_ids,
                                          Time now) {
  std::vector<std::string> lost;
  for (const std::string& id : lease_ids) {
    const auto held = leases_.find(id);
    if (held == leases_.end() || held->second.worker_id != worker_id)
      lost.push_back(id);
    else
      held->second.deadline = now + options_.lease_timeout;
  }
  return lost;
}

const WorkItem* WorkQueue::Find(const std::string& item_id) const {
  const auto entry = entries_.find(item_id);
  return entry == entries_.end() ? nullptr : &entry->second.work;
}

void WorkQueue::EndLeaseOf(Entry& entry) {
  if (entry.lease_id.empty()) return;
  const auto held = leases_.find(entry.lease_id);
  held->second.item_ids.erase(entry.work.item.item_id());
  if (held->second.item_ids.empty()) leases_.erase(held);
  entry.lease_id.clear();
  --leased_;
}

void WorkQueue::Finish(const std::string& item_id) {
  const auto at = entries_.find(item_id);
  if (at == entries_.end()) return;
  if (at->second.lease_id.empty())
    TakeWaiting(at->second);
  else
    EndLeaseOf(at->second);
  entries_.erase(at);
  ++finished_;
}

FailedTry WorkQueue::GoBack(Entry& entry, const std::string& reason) {
  FailedTry failed{entry.work, ++entry.tries, entry.tries >= options_.max_tries, reason};
  EndLeaseOf(entry);
  if (failed.set_aside)
    entries_.erase(failed.work.item.item_id());
  else
    PutWaiting(entry);
  return failed;
}

std::optional<FailedTry> WorkQueue::FailTry(const std::string& item_id, const std::string& reason) {
  const auto at = entries_.find(item_id);
  if (at == entries_.end()) return std::nullopt;
  if (at->second.lease_id.empty()) TakeWaiting(at->second);
  return GoBack(at->second, reason);
}

std::vector<FailedTry> WorkQueue::Expire(Time now) {
  std::vector<std::pair<std::string, std::string>> items;  // id, reason
  for (const auto& [id, held] : leases_) {
    if (held.deadline > now) continue;
    for (const std::string& item : held.item_ids)
      items.emplace_back(item, fmt::format("worker {} made no progress until its lease ended", held.worker_id));
  }
  std::vector<FailedTry> failed;
  for (const auto& [id, reason] : items) failed.push_back(GoBack(entries_.at(id), reason));
  return failed;
}

std::vector<FailedTry> WorkQueue::Drop(const std::string& worker_id, bool blame, const std::string& reason) {
  std::vector<std::string> items;
  for (const auto& [id, held] : leases_)
    if (held.worker_id == worker_id) items.insert(items.end(), held.item_ids.begin(), held.item_ids.end());
  std::vector<FailedTry> failed;
  for (const std::string& id : items) {
    Entry& entry = entries_.at(id);
    if (blame) {
      failed.push_back(GoBack(entry, reason));
    } else {
      EndLeaseOf(entry);
      PutWaiting(entry);
    }
  }
  // What waited for this worker is now anybody's.
  for (auto& [id, entry] : entries_) {
    if (entry.work.preferred_worker != worker_id) continue;
    const bool waits = entry.lease_id.empty();
    if (waits) TakeWaiting(entry);
    entry.work.preferred_worker.clear();
    if (waits) PutWaiting(entry);
  }
  return failed;
}

size_t WorkQueue::LeasedTo(const std::string& worker_id) const {
  size_t count = 0;
  for (const auto& [id, held] : leases_)
    if (held.worker_id == worker_id) count += held.item_ids.size();
  return count;
}

}  // namespace srlm::schedule
