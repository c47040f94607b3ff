#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/machine.h"
#include "common/base/temporary_folder.h"
#include "common/model/model_config.h"
#include "common/model/shard.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/run_inputs.h"
#include "coordinator/cli/signals.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"
#include "coordinator/plan/estimate.h"
#include "coordinator/plan/known_models.h"
#include "coordinator/plan/layout.h"
#include "coordinator/plan/plan.h"
#include "coordinator/plan/probe.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string Amount(double number, double unit, const char* const* names, size_t count) {
  size_t i = 0;
  while (number >= unit && i + 1 < count) {
    number /= unit;
    ++i;
  }
  return fmt::format("{:.{}f} {}", number, number < 10 ? 2 : number < 100 ? 1 : 0, names[i]);
}
std::string Bytes(double bytes) {
  constexpr const char* kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  return Amount(bytes, 1024, kNames, 6);
}
std::string Flops(double flops) {
  constexpr const char* kNames[] = {"FLOP", "KFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP"};
  return Amount(flops, 1000, kNames, 8);
}
std::string Tokens(double tokens) {
  constexpr const char* kNames[] = {"", "K", "M", "G"};
  return Amount(tokens, 1000, kNames, 4);
}

Result<model::ModelConfig> ModelOf(const std::string& name) {
  std::error_code error;
  if (fs::is_directory(name, error)) return model::ReadModelConfig(name);
  return plan::FindKnownModel(name);
}

/// The run's files where all of them are there.
Result<std::optional<rounds::Inputs>> FilesOf(const config::RunConfig& config) {
  if (!config::CheckInputs(config).ok()) return std::optional<rounds::Inputs>();
  SRLM_ASSIGN_OR_RETURN(rounds::Inputs inputs, rounds::ReadInputs(config));
  return std::optional(std::move(inputs));
}

Result<plan::Machine> Measure(const config::RunConfig& config, const model::ModelConfig& model,
                              const plan::Lengths& lengths) {
  StopSignals signals;
  SRLM_ASSIGN_OR_RETURN(const TemporaryFolder folder, TemporaryFolder::Make("srlm-plan"));
  const std::vector<plan::Phase> phases = plan::PhasesOfRound(config, lengths);
  const auto with = [&](const char* name) {
    return *std::ranges::find_if(phases, [&](const plan::Phase& phase) { return phase.name == name; });
  };
  plan::ProbeOptions options;
  options.program_folder = ProgramFolder();
  options.folder = folder.path();
  options.stopped = [&] { return signals.Wait(-1, Deadline::AfterSeconds(0)) != 0; };
  options.says = [](const std::string& what) { std::fprintf(stderr, "srlm: %s\n", what.c_str()); };
  return plan::Probe(config, model, with("generate_and_judge").serving.front(), with("dpo").training.front(), options);
}

std::string MemoryLines(const char* title, const Json& memory) {
  std::string text = fmt::format("{:<12}{:>10}  ", title, Bytes(memory["bytes"].get<double>()));
  bool first = true;
  for (const auto& [part, bytes] : memory.items()) {
    if (part == "bytes" || bytes.get<double>() == 0) continue;
    text += fmt::format("{}{} {}", first ? "" : ", ", part, Bytes(bytes.get<double>()));
    first = false;
  }
  return text + "\n";
}

std::string AsText(const Json& plan, bool gpus) {
  std::string text =
      fmt::format("model        {} parameters ({}), {} of keys and values a token\n",
                  Tokens(plan["model"]["parameters"].get<double>()), plan["model"]["family"].get<std::string>(),
                  Bytes(plan["model"]["kv_bytes_per_token"].get<double>()));
  text += fmt::format("machine      {}\n", plan["machine"]["name"].get<std::string>());
  text += gpus ? "suggested layout\n" : "layout\n";
  for (const auto& [key, value] : plan["layout"].items()) {
    text += fmt::format("  {}: {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  text += "\nmemory of a rank at its peak\n";
  text += MemoryLines("  worker", plan["worker"]) + MemoryLines("  trainer", plan["trainer"]);
  if (plan.contains("room")) text += plan["room"].get<std::string>() + "\n";
  text += "\n";
  Table table({{"phase"}, {"tokens", true}, {"work", true}, {"time", true}, {gpus ? "GPU-hours" : "rank-hours", true}});
  const auto add = [&](const std::string& name, const std::string& tokens, const Json& row) {
    const bool timed = !row["seconds"].is_null();
    table.AddRow({name, tokens, Flops(row["flops"].get<double>()), timed ? Span(row["seconds"].get<double>()) : "",
                  timed ? fmt::format("{:.2f}", row["rank_hours"].get<double>()) : ""});
  };
  for (const Json& phase : plan["phases"]) {
    add(phase["phase"].get<std::string>(), Tokens(phase["tokens"].get<double>()), phase);
  }
  add("a round", "", plan["round"]);
  text += table.Render(TerminalWidth(STDOUT_FILENO));
  const int ranks = plan["layout"]["trainer.ranks"].get<int>();
  for (const Json& phase : plan["phases"]) {
    const int batch = phase.contains("training") ? phase["training"]["global_batch"].get<int>() : ranks;
    if (batch < ranks) {
      text += fmt::format("{}.global_batch: {} gives {} of {} ranks nothing to do in a step\n",
                          phase["phase"].get<std::string>(), batch, ranks - batch, ranks);
    }
  }
  text += fmt::format("\ndisk at most {}\n", Bytes(plan["disk_bytes"].get<double>()));
  std::string counted, assumed;
  for (const auto& [name, quantity] : plan["lengths"].items()) {
    std::string& of = quantity["source"] == "assumed" ? assumed : counted;
    of += fmt::format("{}{} {:.4g}", of.empty() ? "" : ", ", name, quantity["value"].get<double>());
  }
  if (!counted.empty()) text += fmt::format("counted or given: {}\n", counted);
  if (!assumed.empty()) text += fmt::format("assumed: {}; --length NAME=VALUE says better\n", assumed);
  return text;
}

/// What else would fit, for people.
std::string Room(const Json& plan, const config::RunConfig& config, const model::ModelConfig& model,
                 const plan::Machine& machine, const plan::Precision& precision) {
  const double usable = machine.memory_bytes > 0 ? machine.memory_bytes * plan::kUsableShare
                                                 : static_cast<double>(AvailableMemoryBytes());
  const bool gpus = machine.memory_bytes > 0;
  if (usable <= 0 || (!gpus && !plan::OnThisHost(config))) return "";
  const int workers = gpus ? 1 : config.workers.replicas * config.workers.tensor_parallel;
  const int trainers = gpus ? 1 : config.trainer.ranks;
  const double worker = plan["worker"]["bytes"].get<double>() * workers;
  const double trainer = plan["trainer"]["bytes"].get<double>() * trainers;
  if (worker > usable || trainer > usable) {
    return fmt::format(
        "  DOES NOT FIT: {} are there for {}", Bytes(usable),
        worker > usable ? fmt::format("{} workers' ranks", workers) : fmt::format("{} training ranks", trainers));
  }
  const double sequence = static_cast<double>(plan::SequenceBytes(
      model, config.workers,
      plan["lengths"]["prompt"]["value"].get<double>() + plan["lengths"]["answer"]["value"].get<double>(), precision));
  const double cache = static_cast<double>(int64_t{config.workers.kv_cache_mib} << 20);
  return fmt::format("  the cache of a replica holds {:.0f} answers of this length at once; {} are there",
                     cache / sequence, Bytes(usable));
}

Status Run(const PlanOptions& options) {
  SRLM_ASSIGN_OR_RETURN(config::RunConfig config, config::Load(options.config, options.overrides));
  SRLM_ASSIGN_OR_RETURN(const model::ModelConfig model, ModelOf(options.model.empty() ? config.model : options.model));
  if (!options.model.empty()) config.model = options.model;
  SRLM_ASSIGN_OR_RETURN(const std::optional<rounds::Inputs> files, FilesOf(config));
  SRLM_ASSIGN_OR_RETURN(const plan::Lengths lengths,
                        plan::FindLengths(config, files ? &*files : nullptr, options.lengths));
  plan::Machine machine;
  plan::Precision precision = plan::CpuPrecision();
  if (options.gpus > 0) {
    SRLM_ASSIGN_OR_RETURN(machine, plan::FindGpu(options.gpu));
    precision = plan::GpuPrecision();
    std::vector<plan::Phase> phases = plan::PhasesOfRound(config, lengths);
    phases.push_back(plan::PhaseOfSft(config, lengths));
    SRLM_RETURN_IF_ERROR(plan::SuggestLayout(model, phases, options.gpus, machine, precision, config));
  } else {
    SRLM_RETURN_IF_ERROR(
        model::MakeShard(model, 0, config.workers.tensor_parallel).status().WithContext("workers.tensor_parallel"));
    machine.name = "this machine, not measured";
    std::error_code error;
    if (options.probe && !fs::is_directory(config.model, error)) {
      return InvalidArgument(
          fmt::format("{} is no folder, so that nothing can be measured with it: use --gpus, or "
                      "--no-probe for memory alone",
                      config.model));
    }
    if (options.probe) {
      SRLM_ASSIGN_OR_RETURN(machine, Measure(config, model, lengths));
    }
  }
  Json plan = plan::MakePlan(config, model, lengths, machine, precision);
  if (options.json) return Print(plan.dump(1) + "\n");
  if (std::string room = Room(plan, config, model, machine, precision); !room.empty()) plan["room"] = std::move(room);
  return Print(AsText(plan, options.gpus > 0));
}

}  // namespace

int Plan(const PlanOptions& options) { return Finish(Run(options)); }

}  // namespace srlm::cli
