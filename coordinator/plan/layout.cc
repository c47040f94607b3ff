#include "coordinator/plan/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "common/model/shard.h"
#include "coordinator/plan/estimate.h"

namespace srlm::plan {
namespace {

constexpr int kMostTensorParallel = 8;  // GPUs of a node
constexpr int kLeastSequences = 8;      // that a replica must hold at once
constexpr int kMostSequences = 256;
constexpr int kLeastMicroBatch = 16;  // tokens: a row at a time
constexpr double kGib = 1024.0 * 1024 * 1024;

double LongestOf(const std::vector<Phase>& phases) {
  double longest = 0;
  for (const Phase& phase : phases) {
    for (const Serving& serving : phase.serving) longest = std::max(longest, serving.longest());
  }
  return longest;
}

/// Of the numbers of ranks a replica that leave room, the one with which the phases take the least time.
Status SuggestWorkers(const model::ModelConfig& model, const std::vector<Phase>& phases, int gpus,
                      const Machine& machine, const Precision& precision, config::RunConfig& config) {
  const double usable = machine.memory_bytes * kUsableShare, longest = LongestOf(phases);
  std::optional<config::WorkersConfig> best;
  double least = 0;
  config::WorkersConfig& workers = config.workers;
  for (int ranks = 1; ranks <= std::min(gpus, kMostTensorParallel); ++ranks) {
    if (!model::MakeShard(model, 0, ranks).ok()) continue;
    workers.tensor_parallel = ranks;
    workers.max_batch = kMostSequences;
    const WorkerMemory memory = MemoryOfWorker(model, workers, 0, longest, precision);
    const double room = usable - static_cast<double>(memory.total());
    const double sequence = static_cast<double>(SequenceBytes(model, workers, longest, precision));
    if (room < kLeastSequences * sequence) continue;
    workers.replicas = gpus / ranks;
    workers.kv_cache_mib = static_cast<int>(room / (1 << 20));
    workers.max_batch = static_cast<int>(std::min<double>(kMostSequences, std::floor(room / sequence)));
    double seconds = 0;
    for (const Phase& phase : phases) {
      if (phase.training.empty()) seconds += SecondsOf(phase, model, config, machine, precision);
    }
    if (best && seconds >= least) continue;
    best = workers;
    least = seconds;
  }
  if (best) {
    workers = *best;
    return OkStatus();
  }
  return ResourceExhausted(
      fmt::format("workers: the model does not fit {} GPUs of {:.0f} GiB with {} sequences of {:.0f} tokens; more GPUs "
                  "(a replica takes up to {}, as many as divide its heads), or larger ones",
                  std::min(gpus, kMostTensorParallel), usable / kUsableShare / kGib, kLeastSequences, longest,
                  kMostTensorParallel));
}

Status SuggestTrainer(const model::ModelConfig& model, const std::vector<Phase>& phases, int gpus, double usable,
                      const Precision& precision, config::RunConfig& config) {
  using config::ActivationCheckpointing;
  using config::Sharding;
  constexpr std::array<std::pair<Sharding, ActivationCheckpointing>, 6> kWays = {{
      {Sharding::kNone, ActivationCheckpointing::kNone},
      {Sharding::kOptimizer, ActivationCheckpointing::kNone},
      {Sharding::kOptimizer, ActivationCheckpointing::kBlock},
      {Sharding::kFull, ActivationCheckpointing::kNone},
      {Sharding::kFull, ActivationCheckpointing::kBlock},
      {Sharding::kFull, ActivationCheckpointing::kBlock},  // a row at a time
  }};
  config.trainer.ranks = gpus;
  double needed = 0;
  for (size_t way = 0; way < kWays.size(); ++way) {
    config.trainer.sharding = kWays[way].first;
    std::vector<Phase> changed = phases;
    for (Phase& phase : changed) {
      for (Training& training : phase.training) {
        training.recompute = kWays[way].second == ActivationCheckpointing::kBlock;
        if (way + 1 == kWays.size()) training.micro_batch_tokens = kLeastMicroBatch;
      }
    }
    needed = static_cast<double>(PeakOfTrainer(changed, model, config, precision).total());
    if (needed > usable) continue;
    config.sft.activation_checkpointing = config.dpo.activation_checkpointing = kWays[way].second;
    if (way + 1 == kWays.size()) config.sft.micro_batch_tokens = config.dpo.micro_batch_tokens = kLeastMicroBatch;
    return OkStatus();
  }
  return ResourceExhausted(fmt::format(
      "trainer: {} ranks need {:.0f} GiB each with all that is sharded, and {:.0f} can be planned for; more "
      "GPUs, larger ones, or lora.rank",
      gpus, needed / kGib, usable / kGib));
}

}  // namespace

Status SuggestLayout(const model::ModelConfig& model, const std::vector<Phase>& phases, int gpus,
                     const Machine& machine, const Precision& precision, config::RunConfig& config) {
  const double usable = machine.memory_bytes * kUsableShare;
  SRLM_RETURN_IF_ERROR(SuggestWorkers(model, phases, gpus, machine, precision, config));
  return SuggestTrainer(model, phases, gpus, usable, precision, config);
}

}  // namespace srlm::plan
