// Results that a worker could not hand in: kept in the run's logs until another worker does.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "srlm/v1/work.pb.h"

namespace srlm::worker {

/// A file of results.
struct SavedResults {
  std::string path;
  std::vector<v1::ItemResult> results;
};

/// Writes RUN/logs/srlm-worker/unacknowledged-<worker_id>.jsonl and returns its path: a line that names the run, then a
/// result a line. Results that have no JSON (bytes that are no text) are logged and left out.
Result<std::string> SaveResults(const std::string& run_dir, const std::string& run_id, const std::string& worker_id,
                                const std::vector<v1::ItemResult>& results);

/// All such files of this run. One that is of another run or cannot be read is logged and left where it is.
std::vector<SavedResults> FindSavedResults(const std::string& run_dir, const std::string& run_id);

}  // namespace srlm::worker
