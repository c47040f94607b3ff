#include "coordinator/schedule/work_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace srlm::schedule {

bool WorkQueue::Add(WorkItem work, int tries) {
  const std::string id = work.item.item_id();
  const auto [at, is_new] = entries_.try_emplace(id, Entry{std::move(work), next_order_, tries, {}});
  if (!is_new) return false;
  ++next_order_;
  PutWaiting(at->second);
  return true;
}

void WorkQueue::PutWaiting(const Entry& entry) {
  if (entry.tries > 0)
    suspects_.insert(KeyOf(entry));
  else
    waiting_[entry.work.item.model_id()][entry.work.preferred_worker].insert(KeyOf(entry));
}

void WorkQueue::TakeWaiting(const Entry& entry) {
  suspects_.erase(KeyOf(entry));
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

std::vector<WorkQueue::Entry*> WorkQueue::TakeOrdinary(const std::string& worker_id, const std::string& loaded_model_id,
                                                       size_t most) {
  std::vector<Entry*> taken;
  Waiting* const model = BestModel(loaded_model_id);
  if (model == nullptr) return taken;
  const std::string model_id = entries_.at(std::get<2>(*model->begin()->second.begin())).work.item.model_id();
  while (taken.size() < most && waiting_.contains(model_id)) {
    taken.push_back(&entries_.at(std::get<2>(*BestList(waiting_.at(model_id), worker_id)->begin())));
    TakeWaiting(*taken.back());
  }
  return taken;
}

bool WorkQueue::IsStraggler(const Entry& entry, const std::string& worker_id, Time now) const {
  if (entry.lease_ids.size() != 1 || entry.tries > 0) return false;
  const Held& held = leases_.at(*entry.lease_ids.begin());
  if (held.worker_id == worker_id) return false;
  const auto median = times_.Median(entry.work.subject.purpose);
  return median && SecondsBetween(held.begun, now) > options_.straggler_factor * *median;
}

std::vector<WorkQueue::Entry*> WorkQueue::FindStragglers(const std::string& worker_id,
                                                         const std::string& loaded_model_id, size_t most, Time now) {
  std::vector<Entry*> found;
  for (auto& [id, entry] : entries_)
    if (IsStraggler(entry, worker_id, now)) found.push_back(&entry);
  if (found.empty()) return found;
  const auto model_of = [](const Entry* entry) { return entry->work.item.model_id(); };
  const bool loaded = std::ranges::find(found, loaded_model_id, model_of) != found.end();
  const std::string model_id = loaded ? loaded_model_id : model_of(found.front());
  std::erase_if(found, [&](const Entry* entry) { return model_of(entry) != model_id; });
  std::ranges::sort(found, {}, [](const Entry* entry) { return KeyOf(*entry); });
  found.resize(std::min(found.size(), most));
  return found;
}

Lease WorkQueue::MakeLease(const std::string& worker_id, const std::vector<Entry*>& entries, bool alone, Time now) {
  if (entries.empty()) return {};
  Lease lease{fmt::format("lease-{}-{}", options_.epoch, ++next_lease_), {}};
  Held& held = leases_[lease.lease_id];
  held = {worker_id, now, now + options_.lease_timeout, {}, alone};
  for (Entry* entry : entries) {
    if (entry->lease_ids.empty()) ++leased_;
    entry->lease_ids.insert(lease.lease_id);
    held.item_ids.insert(entry->work.item.item_id());
    lease.items.push_back(&entry->work.item);
  }
  return lease;
}

// A suspect whose model nobody has had loaded waits until other work of it has shown whether it can be.
WorkQueue::Entry* WorkQueue::NextSuspect() {
  for (const Key& key : suspects_) {
    Entry& entry = entries_.at(std::get<2>(key));
    const std::string& model_id = entry.work.item.model_id();
    if (loads_.contains(model_id) || !waiting_.contains(model_id)) return &entry;
  }
  return nullptr;
}

Lease WorkQueue::LeaseTo(const std::string& worker_id, const std::string& loaded_model_id, int max_items, Time now) {
  if (!loaded_model_id.empty()) loads_.insert(loaded_model_id);
  bool holds = false;
  for (const auto& [id, held] : leases_) {
    if (held.worker_id != worker_id) continue;
    if (held.alone) return {};
    holds = true;
  }
  const auto most = static_cast<size_t>(std::max(0, std::min(max_items, options_.lease_items)));
  if (most == 0) return {};
  if (Entry* const suspect = holds ? nullptr : NextSuspect()) {
    TakeWaiting(*suspect);
    return MakeLease(worker_id, {suspect}, true, now);
  }
  const std::vector<Entry*> entries = TakeOrdinary(worker_id, loaded_model_id, most);
  if (!entries.empty() || !suspects_.empty()) return MakeLease(worker_id, entries, false, now);
  Lease lease = MakeLease(worker_id, FindStragglers(worker_id, loaded_model_id, most, now), false, now);
  lease.again = true;
  return lease;
}

Lost WorkQueue::Renew(const std::string& worker_id, const std::vector<std::string>& lease_ids, Time now) {
  Lost lost;
  for (const std::string& id : lease_ids) {
    const auto held = leases_.find(id);
    if (held == leases_.end() || held->second.worker_id != worker_id) {
      lost.lease_ids.push_back(id);
      continue;
    }
    held->second.deadline = now + options_.lease_timeout;
  }
  if (auto items = lost_.extract(worker_id)) lost.item_ids = std::move(items.mapped());
  return lost;
}

void WorkQueue::Extend(std::chrono::nanoseconds span) {
  for (auto& [id, held] : leases_) {
    held.begun += span;
    held.deadline += span;
  }
}

const WorkItem* WorkQueue::Find(const std::string& item_id) const {
  const auto entry = entries_.find(item_id);
  return entry == entries_.end() ? nullptr : &entry->second.work;
}

void WorkQueue::Complete(const std::string& item_id, v1::Item item) {
  entries_.at(item_id).work.item = std::move(item);
}

void WorkQueue::Remove(const std::string& item_id) {
  const auto at = entries_.find(item_id);
  if (at == entries_.end()) return;
  if (at->second.lease_ids.empty()) TakeWaiting(at->second);
  for (const std::string& id : std::set<std::string>(at->second.lease_ids)) EndLease(at->second, id);
  entries_.erase(at);
  ++finished_;
}

void WorkQueue::EndLease(Entry& entry, const std::string& lease_id) {
  if (entry.lease_ids.erase(lease_id) == 0) return;
  if (entry.lease_ids.empty()) --leased_;
  const auto held = leases_.find(lease_id);
  held->second.item_ids.erase(entry.work.item.item_id());
  if (held->second.item_ids.empty()) leases_.erase(held);
}

void WorkQueue::Finish(const std::string& item_id, const std::string& lease_id, Time now) {
  const auto at = entries_.find(item_id);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  if (entry.lease_ids.empty()) TakeWaiting(entry);
  if (entry.lease_ids.contains(lease_id))
    times_.Add(entry.work.subject.purpose, SecondsBetween(leases_.at(lease_id).begun, now));
  for (const std::string& id : std::set<std::string>(entry.lease_ids)) {
    if (id != lease_id) lost_[leases_.at(id).worker_id].push_back(item_id);
    EndLease(entry, id);
  }
  loads_.insert(entry.work.item.model_id());
  entries_.erase(at);
  ++finished_;
}

size_t WorkQueue::LeasedTo(const std::string& worker_id) const {
  size_t count = 0;
  for (const auto& [id, held] : leases_)
    if (held.worker_id == worker_id) count += held.item_ids.size();
  return count;
}

}  // namespace srlm::schedule
