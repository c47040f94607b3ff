#include "worker/roles/mailbox.h"

#include <algorithm>
#include <utility>

namespace srlm::worker {

std::deque<Assignment> Mailbox::TakeAssignments() {
  const std::lock_guard lock(mutex_);
  return std::exchange(inbox_, {});
}

std::vector<std::string> Mailbox::TakeLostLeases() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lost_leases_, {});
}

std::vector<std::string> Mailbox::TakeLostItems() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lost_items_, {});
}

void Mailbox::Forget(size_t count) {
  const std::lock_guard lock(mutex_);
  held_ -= std::min(held_, count);
}

void Mailbox::Report(const EngineReport& report, std::vector<v1::ItemResult> results) {
  const std::lock_guard lock(mutex_);
  const int room_before = RoomItems();
  report_ = report;
  unreported_ = inbox_.size();
  news_pending_ |= !results.empty() || (RoomItems() > 0 && room_before == 0);
  held_ -= std::min(held_, results.size());
  for (v1::ItemResult& result : results) outbox_.push_back(std::move(result));
  if (news_pending_) news_.notify_one();
}

Orders Mailbox::orders() const {
  const std::lock_guard lock(mutex_);
  return orders_;
}

Status Mailbox::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Mailbox::WaitForWork(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, at_most, [&] { return !inbox_.empty() || orders_changed_ || !failure_.ok(); });
  orders_changed_ = false;
}

void Mailbox::Close(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  close_reason_ = reason;
  news_pending_ = true;
  news_.notify_one();
}

void Mailbox::Deliver(std::vector<Assignment> assignments) {
  const std::lock_guard lock(mutex_);
  held_ += assignments.size();
  unreported_ += assignments.size();
  for (Assignment& assignment : assignments) inbox_.push_back(std::move(assignment));
  work_.notify_one();
}

void Mailbox::SetOrders(const Orders& orders) {
  const std::lock_guard lock(mutex_);
  if (orders.leave == orders_.leave && orders.release_cores == orders_.release_cores) return;
  orders_ = orders;
  orders_changed_ = true;
  work_.notify_one();
}

void Mailbox::Fail(Status status) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(status);
  work_.notify_one();
}

EngineReport Mailbox::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

int Mailbox::RoomItems() const { return std::max(0, report_.room_items - static_cast<int>(unreported_)); }

int Mailbox::room_items() const {
  const std::lock_guard lock(mutex_);
  return RoomItems();
}

std::vector<v1::ItemResult> Mailbox::Outbox(size_t count, size_t bytes) const {
  const std::lock_guard lock(mutex_);
  std::vector<v1::ItemResult> results;
  size_t size = 0;
  for (const v1::ItemResult& result : outbox_) {
    size += result.ByteSizeLong();
    if (results.size() == count || (size > bytes && !results.empty())) break;
    results.push_back(result);
  }
  return results;
}

size_t Mailbox::outbox_size() const {
  const std::lock_guard lock(mutex_);
  return outbox_.size();
}

void Mailbox::Acknowledge(size_t count) {
  const std::lock_guard lock(mutex_);
  outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(count));
}

size_t Mailbox::held_items() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

void Mailbox::DropLost(const std::vector<std::string>& lease_ids, const std::vector<std::string>& item_ids) {
  const std::lock_guard lock(mutex_);
  const auto has = [](const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
  };
  const size_t dropped = std::erase_if(inbox_, [&](const Assignment& assignment) {
    return has(lease_ids, assignment.lease_id) || has(item_ids, assignment.item.item_id());
  });
  held_ -= dropped;
  unreported_ -= dropped;
  lost_leases_.insert(lost_leases_.end(), lease_ids.begin(), lease_ids.end());
  lost_items_.insert(lost_items_.end(), item_ids.begin(), item_ids.end());
}

bool Mailbox::closed(std::string* reason) const {
  const std::lock_guard lock(mutex_);
  *reason = close_reason_;
  return closed_;
}

void Mailbox::WaitForNews(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, at_most, [&] { return news_pending_; });
  news_pending_ = false;
}

}  // namespace srlm::worker
