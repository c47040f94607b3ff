// The workers that joined, and when they were last heard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "srlm/v1/work.pb.h"

namespace srlm::schedule {

struct Worker {
  std::string worker_id;
  std::string host;
  int64_t pid = 0;
  std::string launch_id;  // empty: started by hand
  v1::WorkerStats stats;
  Clock::time_point heard;
  std::optional<Clock::time_point> overdue_since;  // a lease ran out, and nothing was heard of progress since
};

class Workers {
 public:
  explicit Workers(uint64_t epoch) : epoch_(epoch) {}

  const Worker& Join(const v1::RegisterRequest& request, Clock::time_point now);
  /// Null when it never joined this coordinator or was removed.
  Worker* Find(const std::string& worker_id);
  void Remove(const std::string& worker_id);
  /// Workers of a launch.
  std::vector<std::string> OfLaunch(const std::string& launch_id) const;
  /// Workers of a process.
  std::vector<std::string> OfProcess(const std::string& host, int64_t pid) const;
  /// Workers not heard since `time`.
  std::vector<std::string> SilentSince(Clock::time_point time) const;
  /// Workers that are overdue since `time` or longer.
  std::vector<std::string> OverdueSince(Clock::time_point time) const;
  /// Counts everybody as heard so much later: this process was stopped, not the workers.
  void Extend(std::chrono::nanoseconds span);

  const std::map<std::string, Worker>& all() const { return workers_; }
  /// Generated tokens a second of all workers, as they last said.
  double TokensPerSecond() const;

 private:
  std::vector<std::string> Where(const std::function<bool(const Worker&)>& holds) const;

  uint64_t epoch_;
  uint64_t next_ = 0;
  std::map<std::string, Worker> workers_;
};

}  // namespace srlm::schedule
