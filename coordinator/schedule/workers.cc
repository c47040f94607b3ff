#include "coordinator/schedule/workers.h"

#include <fmt/format.h>

namespace srlm::schedule {

const Worker& Workers::Join(const v1::RegisterRequest& request, Clock::time_point now) {
  Worker worker;
  worker.worker_id = fmt::format("worker-{}-{}", epoch_, ++next_);
  worker.host = request.host();
  worker.pid = request.pid();
  worker.launch_id = request.launch_id();
  worker.heard = now;
  return workers_[worker.worker_id] = worker;
}

Worker* Workers::Find(const std::string& worker_id) {
  const auto worker = workers_.find(worker_id);
  return worker == workers_.end() ? nullptr : &worker->second;
}

void Workers::Remove(const std::string& worker_id) { workers_.erase(worker_id); }

std::vector<std::string> Workers::Where(const std::function<bool(const Worker&)>& holds) const {
  std::vector<std::string> ids;
  for (const auto& [id, worker] : workers_)
    if (holds(worker)) ids.push_back(id);
  return ids;
}

std::vector<std::string> Workers::OfLaunch(const std::string& launch_id) const {
  return Where([&](const Worker& worker) { return worker.launch_id == launch_id; });
}

std::vector<std::string> Workers::OfProcess(const std::string& host, int64_t pid) const {
  return Where([&](const Worker& worker) { return worker.host == host && worker.pid == pid; });
}

std::vector<std::string> Workers::SilentSince(Clock::time_point time) const {
  return Where([&](const Worker& worker) { return worker.heard <= time; });
}

std::vector<std::string> Workers::OverdueSince(Clock::time_point time) const {
  return Where([&](const Worker& worker) { return worker.overdue_since && *worker.overdue_since <= time; });
}

void Workers::Extend(std::chrono::nanoseconds span) {
  for (auto& [id, worker] : workers_) {
    worker.heard += span;
    if (worker.overdue_since) *worker.overdue_since += span;
  }
}

double Workers::TokensPerSecond() const {
  double sum = 0;
  for (const auto& [id, worker] : workers_) sum += worker.stats.tokens_per_second();
  return sum;
}

}  // namespace srlm::schedule
