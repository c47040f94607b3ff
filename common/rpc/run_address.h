// RUN/coordinator.json: where a run's coordinator is. Replaced whole when another coordinator takes the run.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"

namespace srlm::rpc {

struct RunAddress {
  std::string run_id;
  std::string address;  // host:port
  uint64_t epoch = 0;   // of the coordinator; each one that takes the run has a higher one
  std::string host;
  int64_t pid = 0;
  bool secure = true;  // false: its `security` is off, and it is called without keys
};

/// Writes RUN/coordinator.json.
Status WriteRunAddress(const std::string& run_dir, const RunAddress& address);

/// Reads it. NotFound, with what to do, when there is none: the run does not exist or never started.
Result<RunAddress> ReadRunAddress(const std::string& run_dir);

/// Takes it away when the coordinator of `epoch` ends, unless another one has replaced it.
void RemoveRunAddress(const std::string& run_dir, uint64_t epoch);

}  // namespace srlm::rpc
