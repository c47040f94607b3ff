// --log: the job's JSON Lines file, one row a step.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/base/status.h"
#include "common/data/jsonl.h"

namespace srlm::trainer {

class JobLog {
 public:
  /// Opens `path` to add rows from step `first_step` on. A regular file that is there is first cut, atomically, to its
  /// whole rows of earlier steps: a row stands for a step that counts, once. Anything else (a pipe, a device) is only
  /// added to.
  static Result<JobLog> Open(const std::string& path, int64_t first_step);

  Status Write(const nlohmann::ordered_json& row);
  /// What was written is on disk after it.
  Status Sync() { return writer_.Sync(); }
  /// Must be called; nothing may be written after it.
  Status Close() { return writer_.Close(); }

 private:
  explicit JobLog(data::JsonlWriter writer) : writer_(std::move(writer)) {}
  data::JsonlWriter writer_;
};

}  // namespace srlm::trainer
