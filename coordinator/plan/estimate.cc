#include "coordinator/plan/estimate.h"

#include <algorithm>
#include <cmath>

#include "common/model/cost.h"
#include "common/model/parameters.h"

namespace srlm::plan {
namespace {

constexpr double kLinkLatency = 20e-6;  // seconds of one sum over a replica's ranks, beside its bytes

/// Of a decoding step of `batch` sequences that see `context` tokens.
double StepSeconds(const model::ModelConfig& model, const config::WorkersConfig& workers, const Machine& machine,
                   const Precision& precision, double batch, double context) {
  const double ranks = workers.tensor_parallel;
  const double arithmetic = batch * (model::BlockFlops(model, context) + model::HeadFlops(model)) / ranks;
  if (machine.step_seconds > 0) return machine.step_seconds + arithmetic / machine.decode_flops;
  const double weights = static_cast<double>(model::BlockMatrixElements(model) + model::HeadElements(model)) *
                         static_cast<double>(precision.weights);
  const double cache = batch * model::SeenTokens(model, context) * static_cast<double>(model::KvElements(model)) *
                       static_cast<double>(precision.kv);
  double seconds = std::max((weights + cache) / ranks / machine.weight_bytes_s, arithmetic / machine.decode_flops);
  if (ranks > 1 && machine.link_bytes_s > 0) {
    const double bytes =
        batch * static_cast<double>(model.hidden_size * precision.activations) * 2 * (ranks - 1) / ranks;
    seconds += static_cast<double>(2 * model.layers) * (kLinkLatency + bytes / machine.link_bytes_s);
  }
  return seconds;
}

double ServingSeconds(const Serving& serving, const model::ModelConfig& model, const config::WorkersConfig& workers,
                      const Machine& machine, const Precision& precision) {
  const double replicas = workers.replicas, ranks = workers.tensor_parallel;
  double seconds = ReadFlops(serving, model) / (replicas * ranks * machine.prefill_flops);
  if (serving.decoded() == 0) return seconds;
  const double batch = BatchOf(serving, model, workers, precision);
  const double steps = serving.decoded() / (replicas * batch);
  const double context = serving.read_tokens + serving.written_tokens / 2;
  seconds += steps * StepSeconds(model, workers, machine, precision, batch, context);
  return seconds;
}

/// Rows of a step that the busiest rank has, and its micro-batches.
struct StepShare {
  double rows = 1;
  int64_t micro_batches = 1;
};
StepShare ShareOf(const Training& training, int ranks) {
  const double batch = std::min(static_cast<double>(training.global_batch), training.rows);
  StepShare share;
  share.rows = std::max(1.0, std::ceil(batch / ranks));
  const double fit = std::max(1.0, std::floor(training.micro_batch_tokens / training.tokens));
  share.micro_batches = static_cast<int64_t>(std::ceil(share.rows / fit));
  return share;
}

/// A step lasts as long as its busiest rank computes, or, where that is longer, as its ranks send.
double TrainingSeconds(const Training& training, const model::ModelConfig& model, const config::RunConfig& config,
                       const Machine& machine, const Precision& precision) {
  const int ranks = config.trainer.ranks;
  const StepShare share = ShareOf(training, ranks);
  Training step = training;
  step.rows = share.rows;
  step.epochs = 1;
  step.reference_rows = 0;
  double seconds = FlopsOf(step, model) / machine.train_flops;
  const double link = ranks <= machine.ranks_a_node ? machine.link_bytes_s : machine.network_bytes_s;
  if (link > 0) {
    const double sent = SentBytes(model, config.lora, ranks, config.trainer.sharding, share.micro_batches, precision);
    seconds = std::max(seconds, sent / link);
  }
  Training reference = training;
  reference.rows = 0;
  return machine.train_load_seconds + training.steps * seconds +
         FlopsOf(reference, model) / (ranks * machine.train_flops);
}

}  // namespace

double BatchOf(const Serving& serving, const model::ModelConfig& model, const config::WorkersConfig& workers,
               const Precision& precision) {
  const double sequence = static_cast<double>(SequenceBytes(model, workers, serving.longest(), precision));
  const double room = std::floor(static_cast<double>(int64_t{workers.kv_cache_mib} << 20) / sequence);
  const double there = std::ceil(serving.sequences() / workers.replicas);
  return std::max(1.0, std::min({static_cast<double>(workers.max_batch), room, there}));
}

double SecondsOf(const Phase& phase, const model::ModelConfig& model, const config::RunConfig& config,
                 const Machine& machine, const Precision& precision) {
  double seconds = 0;
  for (const Serving& serving : phase.serving) {
    seconds += ServingSeconds(serving, model, config.workers, machine, precision);
  }
  if (!phase.serving.empty()) seconds += machine.load_seconds;
  for (const Training& training : phase.training) {
    seconds += TrainingSeconds(training, model, config, machine, precision);
  }
  return seconds;
}

WorkerMemory PeakOfWorker(const std::vector<Phase>& phases, const model::ModelConfig& model,
                          const config::WorkersConfig& workers, const Precision& precision) {
  WorkerMemory peak;
  for (const Phase& phase : phases) {
    for (const Serving& serving : phase.serving) {
      const double sequences = std::max(serving.sequences(), serving.requests) / workers.replicas;
      const WorkerMemory memory = MemoryOfWorker(model, workers, std::ceil(sequences), serving.longest(), precision);
      if (memory.total() > peak.total()) peak = memory;
    }
  }
  return peak;
}

TrainerMemory PeakOfTrainer(const std::vector<Phase>& phases, const model::ModelConfig& model,
                            const config::RunConfig& config, const Precision& precision) {
  TrainerMemory peak;
  for (const Phase& phase : phases) {
    for (const Training& training : phase.training) {
      // A micro-batch is filled up to its budget, and has at least one row; a rank has its share of a step.
      const double share = ShareOf(training, config.trainer.ranks).rows * training.tokens;
      const double budget = std::max(static_cast<double>(training.micro_batch_tokens), training.tokens);
      const auto tokens = static_cast<int64_t>(std::ceil(std::min(share, budget)));
      const TrainerMemory memory = MemoryOfTrainer(model, config.lora, config.trainer.ranks, config.trainer.sharding,
                                                   training.recompute, tokens, precision);
      if (memory.total() > peak.total()) peak = memory;
    }
  }
  return peak;
}

double DiskOf(const config::RunConfig& config, const model::ModelConfig& model, const std::vector<Phase>& phases) {
  const double whole = 4.0 * static_cast<double>(model::MakeParameterTable(model).total_elements);  // float32
  double trained = whole;
  if (config.lora.rank > 0) {
    trained = 4.0 * static_cast<double>(model::MakeLoraTable(model, LoraOptionsOf(config.lora)).total_elements);
  }
  double models = config.run.iterations + 1, checkpoints = 0;
  for (const Phase& phase : phases) {
    for (const Training& training : phase.training) {
      if (config.trainer.checkpoint_steps > 0) {
        const double written = std::ceil(training.steps / config.trainer.checkpoint_steps);
        checkpoints = std::max(checkpoints, std::min(written, config.trainer.keep_checkpoints + 1.0));
      }
      if (phase.name == "dpo" && config.dpo.selection_steps > 0) {
        models = std::max(models, config.run.iterations + std::ceil(training.steps / config.dpo.selection_steps));
      }
    }
  }
  return models * whole + checkpoints * 3 * trained;
}

}  // namespace srlm::plan
