#include "worker/roles/saved_results.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/file.h"
#include "common/base/log.h"

namespace srlm::worker {
namespace {

constexpr char kPrefix[] = "unacknowledged-";

std::string Folder(const std::string& run_dir) { return run_dir + "/logs/srlm-worker"; }

Result<SavedResults> Read(const std::string& path, const std::string& run_id) {
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  std::istringstream lines(content);
  std::string line;
  std::getline(lines, line);
  const auto head = nlohmann::json::parse(line, nullptr, false);
  if (!head.is_object() || head.value("run_id", "") != run_id) return FailedPrecondition("it is of another run");
  SavedResults saved{path, {}};
  while (std::getline(lines, line)) {
    const auto parsed = google::protobuf::util::JsonStringToMessage(line, &saved.results.emplace_back());
    if (!parsed.ok()) {
      return DataLoss(fmt::format("line {}: {}", saved.results.size() + 1, std::string(parsed.message())));
    }
  }
  return saved;
}

}  // namespace

Result<std::string> SaveResults(const std::string& run_dir, const std::string& run_id, const std::string& worker_id,
                                const std::vector<v1::ItemResult>& results) {
  std::string lines = nlohmann::json{{"run_id", run_id}}.dump() + "\n";
  for (const v1::ItemResult& result : results) {
    std::string json;
    if (const auto written = google::protobuf::util::MessageToJsonString(result, &json); written.ok()) {
      lines += json + "\n";
    } else {
      LogError("result_not_saved", {{"item", result.item_id()}, {"reason", std::string(written.message())}});
    }
  }
  SRLM_RETURN_IF_ERROR(MakeFolders(Folder(run_dir)));
  const std::string path = fmt::format("{}/{}{}.jsonl", Folder(run_dir), kPrefix, worker_id);
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(path, lines));
  return path;
}

std::vector<SavedResults> FindSavedResults(const std::string& run_dir, const std::string& run_id) {
  std::vector<SavedResults> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(run_dir), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(".jsonl")) continue;
    auto saved = Read(entry.path().string(), run_id);
    if (saved.ok()) {
      found.push_back(std::move(saved).value());
    } else if (saved.status().code() != Code::kNotFound) {  // another worker handed it in just now
      LogWarning("saved_results_left", {{"path", entry.path().string()}, {"reason", saved.status().message()}});
    }
  }
  std::ranges::sort(found, {}, &SavedResults::path);
  return found;
}

}  // namespace srlm::worker
