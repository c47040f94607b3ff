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

std::vector<std::string> Workers::OfLaunch(const std::string& launch_id) const {
  std::vector<std::string> ids;
  for (const auto& [id, worker] : workers_)
    if (worker.launch_id == launch_id) ids.push_back(id);
  return ids;
}

std::vector<std::string> Workers::SilentSince(Clock::time_point time) const {
  std::vector<std::string> ids;
  for (const auto& [id, worker] : workers_)
    if (worker.heard <= time) ids.push_back(id);
  return ids;
}

double Workers::TokensPerSecond() const {
  double sum = 0;
  for (const auto& [id, worker] : workers_) sum += worker.stats.tokens_per_second();
  return sum;
}

}  // namespace srlm::schedule
