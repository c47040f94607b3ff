#include "coordinator/rounds/stored_config.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/log.h"

namespace srlm::rounds {

Status StoreConfig(const config::RunConfig& config, const std::string& run_dir) {
  const std::string path = run_dir + "/config.yaml";
  if (std::filesystem::exists(path)) {
    SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    SRLM_ASSIGN_OR_RETURN(const config::RunConfig before, config::Parse(text, path, run_dir));
    std::string mixing;
    for (const config::Difference& difference : config::Differences(before, config)) {
      LogInfo("config_changed", {{"key", difference.key}, {"before", difference.before}, {"after", difference.after}});
      if (difference.mixes_results)
        mixing += fmt::format("\n  {}: {} in the run, {} now", difference.key, difference.before, difference.after);
    }
    if (!mixing.empty())
      return FailedPrecondition(
          fmt::format("{}: this run was begun with another configuration, and going on would mix "
                      "results; start a new run (--run-dir) or put these back:{}",
                      run_dir, mixing));
  }
  return WriteFileAtomic(path, config::ToYaml(config));
}

}  // namespace srlm::rounds
