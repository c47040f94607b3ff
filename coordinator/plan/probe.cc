#include "coordinator/plan/probe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/json_file.h"
#include "common/base/machine.h"
#include "common/base/random.h"
#include "common/data/jsonl.h"
#include "common/model/cost.h"
#include "coordinator/launcher/launcher.h"
#include "coordinator/plan/estimate.h"

namespace srlm::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLongestSeconds = 900;  // of a probe
constexpr double kStopGraceSeconds = 10;
constexpr int kWritten = 24;                 // tokens of an answer
constexpr double kMostTrainedTokens = 1500;  // of a rank in a step

/// `tokens` words or so that mean nothing, another row for another stream; a word is a token of most vocabularies.
std::string Words(uint64_t stream, double tokens) {
  static const std::vector<std::string> words = {"the",  "river", "small", "house", "and",  "with", "green", "water",
                                                 "time", "of",    "under", "light", "many", "one",  "day",   "tree"};
  const RandomStream random(stream, {});
  std::string text;
  for (uint64_t i = 0; i < static_cast<uint64_t>(std::max(1.0, tokens)); ++i) {
    text += (i > 0 ? " " : "") + words[random.Below(i, words.size())];
  }
  return text;
}

class Prober {
 public:
  Prober(const config::RunConfig& config, const model::ModelConfig& model, const ProbeOptions& options,
         std::unique_ptr<launcher::Launcher> launcher)
      : config_(config), model_(model), options_(options), launcher_(std::move(launcher)) {}

  Status Workers(const Serving& answers, Machine& machine);
  Status Trainer(const Training& dpo, Machine& machine);

 private:
  Status RunAll(const std::vector<launcher::LaunchSpec>& specs);
  launcher::LaunchSpec Spec(const std::string& name, const std::string& program, int ranks) const;
  Result<std::vector<nlohmann::json>> Generate(const std::string& name, int prompts, double read);

  const config::RunConfig& config_;
  const model::ModelConfig& model_;
  const ProbeOptions& options_;
  std::unique_ptr<launcher::Launcher> launcher_;
};

launcher::LaunchSpec Prober::Spec(const std::string& name, const std::string& program, int ranks) const {
  launcher::LaunchSpec spec;
  spec.id = name;
  spec.program = options_.program_folder + "/" + program;
  spec.ranks = ranks;
  spec.log_dir = options_.folder + "/logs-" + name;
  return spec;
}

/// To their end, all at once.
Status Prober::RunAll(const std::vector<launcher::LaunchSpec>& specs) {
  for (const launcher::LaunchSpec& spec : specs) SRLM_RETURN_IF_ERROR(launcher_->Start(spec).status());
  const Deadline deadline = Deadline::AfterSeconds(kLongestSeconds);
  Status failed;
  const auto stop_all = [&](Status why) {
    if (!failed.ok()) return;
    failed = std::move(why);
    for (const std::string& id : launcher_->Running()) {
      (void)launcher_->Stop(id, Deadline::AfterSeconds(kStopGraceSeconds));
    }
  };
  for (size_t ended = 0; ended < specs.size();) {
    SRLM_ASSIGN_OR_RETURN(const launcher::LaunchStatus status, launcher_->Poll(specs[ended].id));
    if (!status.running) {
      ++ended;
      if (status.exit_code == 0) continue;
      std::string words;
      for (const std::string& line : status.tail) words += "\n" + line;
      stop_all(FailedPrecondition(
          fmt::format("the probe's {} failed: {}{}", specs[ended - 1].program, status.reason, words)));
      continue;
    }
    if (options_.stopped()) stop_all(Aborted("stopped"));
    if (deadline.Expired()) stop_all(DeadlineExceeded(fmt::format("the probe takes more than {} s", kLongestSeconds)));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return failed;
}

/// All replicas answer so many prompts each; their summaries.
Result<std::vector<nlohmann::json>> Prober::Generate(const std::string& name, int prompts, double read) {
  const config::WorkersConfig& workers = config_.workers;
  const int threads =
      workers.threads > 0 ? workers.threads : ThreadsPerRank(workers.replicas * workers.tensor_parallel);
  std::vector<launcher::LaunchSpec> specs;
  std::vector<std::string> summaries;
  for (int replica = 0; replica < workers.replicas; ++replica) {
    const std::string base = fmt::format("{}/{}-{}", options_.folder, name, replica);
    std::vector<Json> rows;
    for (int i = 0; i < prompts; ++i) {
      const auto stream = static_cast<uint64_t>(replica * prompts + i);
      rows.push_back({{"prompt_id", fmt::format("p{}", i)}, {"prompt", Words(stream, read)}, {"raw", true}});
    }
    SRLM_RETURN_IF_ERROR(data::WriteJsonl(base + ".jsonl", rows));
    launcher::LaunchSpec spec = Spec(fmt::format("{}-{}", name, replica), "srlm-worker", workers.tensor_parallel);
    summaries.push_back(base + ".summary.json");
    spec.args = {"generate",
                 "--model",
                 config_.model,
                 "--prompts",
                 base + ".jsonl",
                 "--out",
                 base + ".out.jsonl",
                 "--summary",
                 summaries.back(),
                 "--greedy",
                 "--ignore-eos",
                 "--samples",
                 "1",
                 "--max-new-tokens",
                 std::to_string(kWritten),
                 "--threads",
                 std::to_string(threads),
                 "--max-batch",
                 std::to_string(workers.max_batch),
                 "--kv-cache-mib",
                 std::to_string(workers.kv_cache_mib),
                 "--prefill-chunk-tokens",
                 std::to_string(workers.prefill_chunk_tokens)};
    spec.threads = threads;
    spec.together = true;
    specs.push_back(std::move(spec));
  }
  SRLM_RETURN_IF_ERROR(RunAll(specs));
  std::vector<nlohmann::json> read_back;
  for (const std::string& path : summaries) {
    SRLM_ASSIGN_OR_RETURN(nlohmann::json summary, ReadJsonObject(path));
    if (summary.at("failed_rows").get<int64_t>() > 0) {
      return FailedPrecondition(
          "the probe's srlm-worker could not answer: workers.kv_cache_mib is too small, or the "
          "model's context; --no-probe says memory alone");
    }
    read_back.push_back(std::move(summary));
  }
  return read_back;
}

double Mean(const std::vector<nlohmann::json>& summaries, const char* key) {
  double sum = 0;
  for (const nlohmann::json& summary : summaries) sum += summary.at(key).get<double>();
  return sum / static_cast<double>(summaries.size());
}

Status Prober::Workers(const Serving& answers, Machine& machine) {
  const config::WorkersConfig& workers = config_.workers;
  const double read = std::clamp(answers.read_tokens, 8.0, 256.0);
  Serving probed = answers;
  probed.read_tokens = 2 * read;  // words may be more tokens than one
  probed.written_tokens = kWritten;
  const int batch = static_cast<int>(BatchOf(probed, model_, workers, CpuPrecision()));
  const auto begin = Clock::now();
  SRLM_ASSIGN_OR_RETURN(const auto many, Generate("many", batch, read));
  machine.load_seconds = std::max(0.0, SecondsSince(begin) - Mean(many, "seconds"));
  const double ranks = workers.tensor_parallel;
  const double tokens = Mean(many, "prefilled_tokens");
  machine.prefill_flops =
      tokens * model::BlockFlops(model_, tokens / batch / 2) / Mean(many, "prefill_seconds") / ranks;
  const double context = tokens / batch + kWritten / 2.0;
  const double row = (model::BlockFlops(model_, context) + model::HeadFlops(model_)) / ranks;
  const double step_many = Mean(many, "decode_seconds") / Mean(many, "generated_tokens") * batch;
  if (batch == 1) {
    machine.step_seconds = step_many / 2;
    machine.decode_flops = row / (step_many / 2);
    return OkStatus();
  }
  SRLM_ASSIGN_OR_RETURN(const auto one, Generate("one", 1, read));
  const double step_one = Mean(one, "decode_seconds") / Mean(one, "generated_tokens");
  const double a_row = std::max((step_many - step_one) / (batch - 1), step_many / batch / 100);
  machine.step_seconds = std::max(step_one - a_row, step_one / 100);
  machine.decode_flops = row / a_row;
  return OkStatus();
}

Status Prober::Trainer(const Training& dpo, Machine& machine) {
  const config::TrainerConfig& trainer = config_.trainer;
  const double answer = std::max(1.0, dpo.target_tokens / 2), prompt = std::max(1.0, dpo.tokens - dpo.target_tokens);
  const int a_rank = static_cast<int>(std::clamp(kMostTrainedTokens / dpo.tokens, 1.0, 8.0));
  const int pairs = a_rank * trainer.ranks;
  std::vector<Json> rows;
  for (int i = 0; i < pairs; ++i) {
    const auto stream = static_cast<uint64_t>(3 * i);
    rows.push_back({{"prompt", {{{"role", "user"}, {"content", Words(stream, prompt)}}}},
                    {"chosen", {{{"role", "assistant"}, {"content", Words(stream + 1, answer)}}}},
                    {"rejected", {{{"role", "assistant"}, {"content", Words(stream + 2, answer)}}}}});
  }
  const std::string base = options_.folder + "/trainer";
  SRLM_RETURN_IF_ERROR(data::WriteJsonl(base + ".jsonl", rows));
  launcher::LaunchSpec spec = Spec("trainer", "srlm-trainer", trainer.ranks);
  spec.threads = trainer.threads;
  spec.args = {"dpo",
               "--model",
               config_.model,
               "--data",
               base + ".jsonl",
               "--out",
               base + ".model",
               "--log",
               base + ".log.jsonl",
               "--global-batch",
               std::to_string(pairs),
               "--epochs",
               "2",
               "--micro-batch-tokens",
               std::to_string(config_.dpo.micro_batch_tokens),
               "--activation-checkpointing",
               std::string(config::NameOf(config_.dpo.activation_checkpointing)),
               "--sharding",
               std::string(config::NameOf(trainer.sharding))};
  if (config_.lora.rank > 0) {
    spec.args.insert(spec.args.end(), {"--lora-rank", std::to_string(config_.lora.rank), "--lora-targets",
                                       fmt::format("{}", fmt::join(config_.lora.targets, ","))});
  }
  if (trainer.threads > 0) spec.args.insert(spec.args.end(), {"--threads", std::to_string(trainer.threads)});
  if (!config_.chat_template.empty()) spec.args.insert(spec.args.end(), {"--chat-template", config_.chat_template});
  const auto begin = Clock::now();
  SRLM_RETURN_IF_ERROR(RunAll({spec}));
  const double all = SecondsSince(begin);
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(base + ".log.jsonl"));
  double seconds = 0, last = 0, tokens = 0;
  for (nlohmann::json row; true;) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(row));
    if (!more) break;
    if (!row.contains("loss")) continue;
    last = row.at("seconds").get<double>();  // the second step's: the first one takes memory
    tokens = row.at("tokens").get<double>();
    seconds += last;
  }
  if (last <= 0) return FailedPrecondition("the probe's srlm-trainer made no step");
  Training measured = dpo;
  measured.rows = pairs;
  measured.epochs = 1;
  measured.reference_rows = 0;
  measured.target_tokens *= tokens / (pairs * dpo.tokens);  // words are not quite tokens
  measured.tokens = tokens / pairs;
  machine.train_flops = FlopsOf(measured, model_) / (last * trainer.ranks);
  machine.train_load_seconds = std::max(0.0, all - seconds);
  return OkStatus();
}

}  // namespace

bool OnThisHost(const config::RunConfig& config) {
  return config.launcher.kind != config::LauncherKind::kSlurm && config.launcher.hosts.empty() &&
         config.workers.hosts.empty() && config.trainer.hosts.empty();
}

Result<Machine> Probe(const config::RunConfig& config, const model::ModelConfig& model, const Serving& answers,
                      const Training& dpo, const ProbeOptions& options) {
  if (!OnThisHost(config)) {
    return FailedPrecondition(
        "this configuration runs on other hosts, and only this one could be measured: use --no-probe for memory alone, "
        "or --gpus");
  }
  SRLM_ASSIGN_OR_RETURN(auto launcher, launcher::MakeLocalLauncher(config.launcher));
  Prober prober(config, model, options, std::move(launcher));
  Machine machine;
  machine.name = "this machine, measured";
  options.says("measuring the workers");
  SRLM_RETURN_IF_ERROR(prober.Workers(answers, machine));
  options.says("measuring the trainer");
  SRLM_RETURN_IF_ERROR(prober.Trainer(dpo, machine));
  return machine;
}

}  // namespace srlm::plan
