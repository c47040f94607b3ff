#include "coordinator/rounds/stored_config.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/log.h"

namespace srlm::rounds {
namespace {

constexpr char kConfigFile[] = "/config.yaml";

Status Mixing(const std::string& what, const std::vector<std::string>& lines) {
  return FailedPrecondition(
      fmt::format("{}, and going on would mix results of two methods:\n  {}\nstart a new run with --run-dir, or put "
                  "these back",
                  what, fmt::join(lines, "\n  ")));
}

}  // namespace

Result<std::vector<config::Difference>> CompareWithRun(const config::RunConfig& config, const std::string& run_dir) {
  const std::string path = run_dir + kConfigFile;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::vector<config::Difference>();
  SRLM_ASSIGN_OR_RETURN(const config::RunConfig before, config::Load(path));
  std::vector<config::Difference> differences = config::Differences(before, config);
  std::vector<std::string> mixing;
  for (const config::Difference& each : differences)
    if (each.mixes_results)
      mixing.push_back(fmt::format("{}: {} in the run, {} now", each.key, each.before, each.after));
  if (!mixing.empty()) return Mixing(run_dir + " has another configuration", mixing);
  return differences;
}

Status StoreConfig(const config::RunConfig& config, const std::string& run_dir) {
  SRLM_ASSIGN_OR_RETURN(const auto differences, CompareWithRun(config, run_dir));
  for (const config::Difference& each : differences)
    LogInfo("config_changed", {{"key", each.key}, {"before", each.before}, {"after", each.after}});
  return WriteFileAtomic(run_dir + kConfigFile, config::ToYaml(config));
}

Status AcceptInputs(const config::RunConfig& config, Inputs& inputs, ledger::Ledger& ledger) {
  std::vector<std::string> mixing, unknown;
  for (const auto& [key, hash] : inputs.hashes) {
    SRLM_ASSIGN_OR_RETURN(const std::string before, ledger.Fact("input." + key));
    if (!before.empty() && before != hash)
      mixing.push_back(
          fmt::format("{}: SHA-256 {}... in the run, {}... now", key, before.substr(0, 12), hash.substr(0, 12)));
    if (before.empty()) unknown.push_back(key);
  }
  if (!mixing.empty()) return Mixing("the contents of input files have changed since the run began", mixing);
  if (!unknown.empty() && !inputs.checked) SRLM_RETURN_IF_ERROR(CheckInputTexts(config, inputs));
  for (const std::string& key : unknown) SRLM_RETURN_IF_ERROR(ledger.SetFact("input." + key, inputs.hashes.at(key)));
  return OkStatus();
}

}  // namespace srlm::rounds
