#include "coordinator/rounds/unfinished_files.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/base/process.h"

namespace srlm::rounds {
namespace {

namespace fs = std::filesystem;

constexpr char kBeside[] = ".tmp.";  // and the writer's pid; SQLite may add the journal of a copy

/// The process that was writing it, by its name; 0: it is no name of ours.
pid_t WriterOf(const std::string& name) {
  const size_t beside = name.find(kBeside);
  if (beside == std::string::npos && !name.starts_with("owner.lock.")) return 0;
  const size_t digits = beside == std::string::npos ? name.rfind('.') + 1 : beside + std::strlen(kBeside);
  return static_cast<pid_t>(std::strtol(name.c_str() + digits, nullptr, 10));
}

bool IsUnfinished(const std::string& name) {
  return name.starts_with(".tmp-") || name.starts_with(".old-") || WriterOf(name) > 0;  // checkpoints; others
}

bool WrittenByCoordinator(const std::string& path) {
  return !path.starts_with("logs/") && !path.starts_with("models/") && path.find("/checkpoints/") == std::string::npos;
}

}  // namespace

std::vector<std::string> FindUnfinishedFiles(const std::string& run_dir) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator entry(run_dir, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!IsUnfinished(entry->path().filename().string())) continue;
    found.push_back(entry->path().lexically_relative(run_dir).string());
    entry.disable_recursion_pending();
  }
  std::ranges::sort(found);
  return found;
}

void RemoveUnfinishedFiles(const std::string& run_dir) {
  for (const std::string& path : FindUnfinishedFiles(run_dir)) {
    if (!WrittenByCoordinator(path)) continue;
    const pid_t writer = WriterOf(fs::path(path).filename().string());
    if (const auto process = ReadProcess(writer); process && process->alive()) continue;
    std::error_code error;
    fs::remove_all(run_dir + "/" + path, error);
  }
}

}  // namespace srlm::rounds
