#include "coordinator/cli/run_inputs.h"

#include <unistd.h>

#include <filesystem>

#include "coordinator/ledger/ledger.h"
#include "coordinator/measure/judging.h"
#include "coordinator/measure/training_texts.h"

namespace srlm::cli {
namespace {

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

Result<RunInputs> LoadRunInputs(const RunOptions& options) {
  SRLM_ASSIGN_OR_RETURN(config::RunConfig config, config::Load(options.config, options.overrides));
  SRLM_RETURN_IF_ERROR(config::CheckInputs(config));
  SRLM_RETURN_IF_ERROR(CheckPrograms(config));
  SRLM_ASSIGN_OR_RETURN(rounds::Inputs files, rounds::ReadInputs(config));
  const std::string run_dir = options.run_dir.empty() ? "runs/" + config.name : options.run_dir;
  // A run that has begun has checked its texts, and knows them by their hashes.
  std::error_code error;
  if (options.check || !std::filesystem::exists(ledger::LedgerPath(run_dir), error)) {
    SRLM_RETURN_IF_ERROR(rounds::CheckInputTexts(config, files));
    if (!files.ranked.empty()) SRLM_RETURN_IF_ERROR(measure::CheckRanked(files.ranked, config.data.evaluation));
    SRLM_RETURN_IF_ERROR(measure::CheckEvaluationData(
        config, {files.ranked, files.evaluation_prompts, files.validation_prompts, files.held_out}));
  }
  return RunInputs{std::move(config), std::move(files), run_dir};
}

std::string ProgramFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

}  // namespace srlm::cli
