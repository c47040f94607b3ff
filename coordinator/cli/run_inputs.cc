#include "coordinator/cli/run_inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "common/base/command.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/measure/judging.h"
#include "coordinator/measure/training_texts.h"

namespace srlm::cli {
namespace {

constexpr double kDevicesSeconds = 120;  // of loading a device's libraries from a slow disk

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

/// With `device: cuda` on this host alone: that there are devices, and as many as ranks want. Other hosts are seen when
/// ranks start there.
Status CheckDevices(const config::RunConfig& config) {
  if (config.device == config::Device::kCpu || config.launcher.kind != config::LauncherKind::kLocal) return OkStatus();
  struct Wish {
    const char* key;
    int ranks;
    bool here;
  };
  const Wish wishes[] = {
      {"workers.replicas, workers.tensor_parallel", config.workers.replicas * config.workers.tensor_parallel,
       config::HostsOf(config.workers, config.launcher).empty()},
      {"trainer.ranks", config.trainer.ranks, config::HostsOf(config.trainer, config.launcher).empty()}};
  if (std::ranges::none_of(wishes, &Wish::here)) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const CommandAnswer answer, RunCommand({ProgramFolder() + "/srlm-worker", "devices"},
                                                               Deadline::AfterSeconds(kDevicesSeconds)));
  if (answer.exit_code != 0) {
    constexpr std::string_view kSays = "srlm-worker: ";
    const std::string line = answer.output.substr(0, answer.output.find('\n'));
    return FailedPrecondition(line.starts_with(kSays) ? line.substr(kSays.size()) : line);
  }
  const auto devices = std::ranges::count(answer.output, '\n');
  for (const Wish& wish : wishes) {
    if (!wish.here || devices >= wish.ranks) continue;
    return FailedPrecondition(
        fmt::format("{}: {} ranks want a device each, and this host shows {}: lower it, or name launcher.hosts",
                    wish.key, wish.ranks, devices));
  }
  return OkStatus();
}

}  // namespace

Result<RunInputs> LoadRunInputs(const RunOptions& options) {
  SRLM_ASSIGN_OR_RETURN(config::RunConfig config, config::Load(options.config, options.overrides));
  SRLM_RETURN_IF_ERROR(config::CheckInputs(config));
  SRLM_RETURN_IF_ERROR(CheckPrograms(config));
  SRLM_RETURN_IF_ERROR(CheckDevices(config));
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
