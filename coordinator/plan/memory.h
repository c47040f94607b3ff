// What a rank of each program holds at its peak, by what it is for.
#pragma once

#include <cstdint>

#include "common/config/config.h"
#include "common/model/lora.h"
#include "common/model/model_config.h"

namespace srlm::plan {

/// Bytes of what a number takes, and of the program itself.
struct Precision {
  int64_t weights = 4;  // of the worker, and what the trainer computes with
  int64_t kv = 4;       // keys and values
  int64_t gradients = 4;
  int64_t optimiser = 8;  // AdamW's moments, and with bfloat16 weights their float32 master
  int64_t activations = 4;
  int64_t kv_granule = 0;   // of each layer's keys, and values, beside what is used
  int64_t worker_base = 0;  // of a program that has done nothing yet, without its tokenizer
  int64_t trainer_base = 0;
};
/// float32 on CPU ranks.
Precision CpuPrecision();
/// bfloat16 weights, activations, gradients and keys and values; float32 logits, moments and master weights.
Precision GpuPrecision();

/// The adapters of a configuration.
model::LoraOptions LoraOptionsOf(const config::LoraConfig& config);

/// Bytes of a worker's rank.
struct WorkerMemory {
  int64_t weights = 0;
  int64_t kv_cache = 0;     // as far as the work of a replica fills it
  int64_t activations = 0;  // of a step, with its logits
  int64_t base = 0;
  int64_t total() const { return weights + kv_cache + activations + base; }
};
/// Of a replica's first rank, which has the largest part. `sequences` of `tokens` each are under way at once.
WorkerMemory MemoryOfWorker(const model::ModelConfig& model, const config::WorkersConfig& workers, double sequences,
                            double tokens, const Precision& precision);
/// Bytes that a sequence of so many tokens takes in the cache of each rank.
int64_t SequenceBytes(const model::ModelConfig& model, const config::WorkersConfig& workers, double tokens,
                      const Precision& precision);

/// Bytes that a training rank sends in a step of so many micro-batches.
double SentBytes(const model::ModelConfig& model, const config::LoraConfig& lora, int ranks, config::Sharding sharding,
                 int64_t micro_batches, const Precision& precision);

/// Bytes of a trainer's rank.
struct TrainerMemory {
  int64_t weights = 0;
  int64_t gradients = 0;
  int64_t optimiser = 0;
  int64_t activations = 0;
  int64_t logits = 0;
  int64_t communication = 0;
  int64_t base = 0;
  int64_t total() const { return weights + gradients + optimiser + activations + logits + communication + base; }
};
/// The table of docs/architecture.md, "Training over several ranks", and what a pack of `tokens` tokens takes.
TrainerMemory MemoryOfTrainer(const model::ModelConfig& model, const config::LoraConfig& lora, int ranks,
                              config::Sharding sharding, bool recompute, int64_t tokens, const Precision& precision);

}  // namespace srlm::plan
