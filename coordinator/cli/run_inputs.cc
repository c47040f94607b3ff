#include "coordinator/cli/run_inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/data/judge_template.h"
#include "common/data/records.h"

namespace srlm::cli {
namespace {

/// Each data file is read whole here, so that a bad row shows before anything starts and not in round 2.
Status CheckData(const config::RunConfig& config) {
  SRLM_ASSIGN_OR_RETURN(const auto judge_template, data::JudgeTemplate::Load(config.judge.judge_template));
  SRLM_RETURN_IF_ERROR(data::LoadSft(config.data.ift, judge_template).status());
  if (!config.data.eft.empty()) SRLM_RETURN_IF_ERROR(data::LoadEft(config.data.eft).status());
  if (!config.data.prompts.empty()) SRLM_RETURN_IF_ERROR(data::LoadPrompts(config.data.prompts).status());
  if (!config.data.evaluation.empty()) {
    SRLM_RETURN_IF_ERROR(data::LoadRankedAnswers(config.data.evaluation).status());
  }
  return OkStatus();
}

Status CheckPrograms(const config::RunConfig& config) {
  if (config.launcher.kind == config::LauncherKind::kNone) return OkStatus();
  for (const char* program : {"srlm-worker", "srlm-trainer"}) {
    const std::string path = ProgramFolder() + "/" + program;
    if (access(path.c_str(), X_OK) != 0) {
      return NotFound(path + ": not there; srlm starts it, so build all programs with `make build`");
    }
  }
  return OkStatus();
}

}  // namespace

Result<config::RunConfig> LoadRunConfig(const RunOptions& options) {
  SRLM_ASSIGN_OR_RETURN(config::RunConfig config, config::Load(options.config, options.overrides));
  SRLM_RETURN_IF_ERROR(config::CheckInputs(config));
  SRLM_RETURN_IF_ERROR(CheckData(config));
  SRLM_RETURN_IF_ERROR(CheckPrograms(config));
  return config;
}

Result<std::vector<std::string>> CompareWithRun(const config::RunConfig& config, const std::string& run_dir) {
  const std::string stored_path = run_dir + "/config.yaml";
  std::error_code error;
  if (!std::filesystem::exists(stored_path, error)) return std::vector<std::string>{};
  SRLM_ASSIGN_OR_RETURN(const config::RunConfig stored, config::Load(stored_path));
  std::vector<std::string> lines, mixing;
  for (const config::Difference& difference : config::Differences(stored, config)) {
    (difference.mixes_results ? mixing : lines)
        .push_back(fmt::format("{}: {} in the run so far, {} from now on", difference.key, difference.before,
                               difference.after));
  }
  if (mixing.empty()) return lines;
  return FailedPrecondition(
      fmt::format("{} has another configuration, and going on would mix results of two methods:\n  {}\n"
                  "start a new run with --run-dir, or set these back",
                  run_dir, fmt::join(mixing, "\n  ")));
}

std::string ProgramFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

}  // namespace srlm::cli
