#include <fmt/format.h>

#include <filesystem>

#include "common/rpc/private_file.h"
#include "coordinator/fsck/run.h"
#include "coordinator/rounds/unfinished_files.h"

namespace srlm::fsck {

namespace fs = std::filesystem;

void CheckSecrets(const std::string& folder, config::Security security, Report& report) {
  report.Begin("secrets");
  const std::string secrets = folder + "/secrets";
  std::error_code error;
  if (!fs::exists(secrets, error)) {
    if (security == config::Security::kTls)
      report.Add(secrets, "the run's keys are not there", "`srlm run` makes new ones");
    return report.Counted(security == config::Security::kTls ? "" : "security: off, no keys");
  }
  int64_t looked_at = 0;
  const auto look = [&](const std::string& path) {
    ++looked_at;
    Status status = rpc::CheckOwner(path);
    if (status.ok()) status = rpc::CheckPrivate(path);
    if (!status.ok()) report.Add(path, status.message(), "as the message says");
  };
  look(secrets);
  for (fs::recursive_directory_iterator entry(secrets, error), end; !error && entry != end; entry.increment(error))
    look(entry->path().string());
  if (error) report.Add(secrets, "it cannot be listed: " + error.message(), "run srlm fsck as the run's owner");
  report.Counted(fmt::format("{} folders and files, for their owner alone", looked_at));
}

void CheckUnfinished(const std::string& folder, bool done, Report& report) {
  report.Begin("unfinished files");
  for (const std::string& path : rounds::FindUnfinishedFiles(folder))
    report.Add(fmt::format("{}/{}", folder, path), "a program was ended while it wrote this; nothing reads it",
               "delete it, or let `srlm run` go on with the run");
  const std::string logs = folder + "/logs/srlm-worker";  // where a worker saves what it can hand to nobody
  std::error_code error;
  for (fs::directory_iterator entry(logs, error), end; done && !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("unacknowledged-") && name.ends_with(".jsonl"))
      report.Add(entry->path().string(),
                 "results that a worker could hand to no coordinator; the run is done without them", "delete it");
  }
  report.Counted("none may be there when a run is stopped");
}

}  // namespace srlm::fsck
