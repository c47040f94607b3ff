#include "coordinator/plan/memory.h"

#include <algorithm>
#include <cmath>

#include "common/model/cost.h"
#include "common/model/parameters.h"
#include "common/model/shard.h"

namespace srlm::plan {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kLogitRows = 64;              // of the worker: rows of logits that exist at once
constexpr int64_t kHeadChunkBytes = 96 * kMiB;  // of the trainer: logits at once
constexpr int64_t kHeadChunkRows = 64;          // and at least so many rows
constexpr int64_t kMessageBytes = 16 * kMiB;    // of one message between ranks
constexpr int64_t kMessages = 3;                // under way at once
constexpr int64_t kTokenizerBytes = 680;        // a token
constexpr int64_t kPieceMultiple = 16;          // elements, of a rank's piece of a unit

/// What a training rank holds, in elements.
struct Elements {
  int64_t weights = 0, gradients = 0, moments = 0;
};

Elements ElementsOf(const model::ParameterTable& table, int ranks, config::Sharding sharding) {
  const int64_t all = table.total_elements;
  if (sharding != config::Sharding::kFull) {
    return {all, all, sharding == config::Sharding::kNone || ranks == 1 ? all : all / ranks};
  }
  const int64_t whole = table.units.front().room + table.units.back().room + 2 * table.units[1].room;
  return {all / ranks + whole, all / ranks + whole + whole / ranks, all / ranks};
}

/// With adapters nothing of the model has a gradient: they have, and one block's merged matrices beside it.
Elements WithAdapters(const model::ModelConfig& model, const model::LoraOptions& lora, int ranks, Elements of_model,
                      const model::ParameterTable& table) {
  const int64_t adapters = model::MakeLoraTable(model, lora, kPieceMultiple * ranks).total_elements;
  const int64_t block = table.units[1].room;
  return {of_model.weights + adapters + block, adapters + block, adapters};
}

}  // namespace

model::LoraOptions LoraOptionsOf(const config::LoraConfig& config) {
  return {config.rank, config.alpha, model::LoraTargetsOf(config.targets)};
}

Precision CpuPrecision() {
  Precision precision;
  precision.kv_granule = kMiB;  // half of a huge page, on average
  precision.worker_base = 11 * kMiB;
  precision.trainer_base = 48 * kMiB;
  return precision;
}

Precision GpuPrecision() {
  return {.weights = 2,
          .kv = 2,
          .gradients = 2,
          .optimiser = 12,
          .activations = 2,
          .kv_granule = 0,
          .worker_base = 1024 * kMiB,  // the driver's context and the libraries' code and work areas
          .trainer_base = 1536 * kMiB};
}

int64_t SequenceBytes(const model::ModelConfig& model, const config::WorkersConfig& workers, double tokens,
                      const Precision& precision) {
  const int64_t kv_heads = std::max<int64_t>(1, model.kv_heads / workers.tensor_parallel);
  const int64_t page = workers.page_tokens;
  const auto pages = static_cast<int64_t>(std::ceil(tokens / static_cast<double>(page)));
  return pages * page * 2 * model.layers * kv_heads * model.head_dim * precision.kv;
}

WorkerMemory MemoryOfWorker(const model::ModelConfig& model, const config::WorkersConfig& workers, double sequences,
                            double tokens, const Precision& precision) {
  const int64_t ranks = workers.tensor_parallel;
  const int64_t vocabulary = (model.vocabulary_size + ranks - 1) / ranks;
  const int64_t embeddings = (model.tied_embeddings ? 1 : 2) * vocabulary * model.hidden_size;
  WorkerMemory memory;
  // Key-value heads are held twice where there are more ranks than heads.
  const int64_t kv_heads = std::max<int64_t>(1, model.kv_heads / ranks);
  const int64_t attention = 2 * model.query_size() / ranks + 2 * kv_heads * model.head_dim;
  const int64_t inner = (model.intermediate_size + ranks - 1) / ranks;
  memory.weights = (embeddings + model.layers * model.hidden_size * (attention + 3 * inner)) * precision.weights;
  const double batch = std::min(sequences, static_cast<double>(workers.max_batch));
  const int64_t budget = int64_t{workers.kv_cache_mib} * kMiB;
  memory.kv_cache = std::min(budget, static_cast<int64_t>(batch) * SequenceBytes(model, workers, tokens, precision) +
                                         2 * model.layers * precision.kv_granule);
  const int64_t rows = workers.max_batch + workers.prefill_chunk_tokens;
  const int64_t widths =
      3 * model.hidden_size + 2 * model.query_size() / ranks + 2 * kv_heads * model.head_dim + 3 * inner;
  const int64_t logits = kLogitRows * (ranks > 1 ? 2 * model.vocabulary_size + vocabulary : model.vocabulary_size);
  memory.activations = rows * widths * precision.activations + logits * 4;
  memory.base = precision.worker_base + kTokenizerBytes * model.vocabulary_size;
  return memory;
}

double SentBytes(const model::ModelConfig& model, const config::LoraConfig& lora, int ranks, config::Sharding sharding,
                 int64_t micro_batches, const Precision& precision) {
  if (ranks == 1) return 0;
  const model::ParameterTable table = model::MakeParameterTable(model, kPieceMultiple * ranks);
  const double block = static_cast<double>(table.units[1].room), layers = static_cast<double>(model.layers);
  const double ends = static_cast<double>(table.units.front().room + table.units.back().room);
  const double batches = static_cast<double>(micro_batches);
  double gathered = 0;
  double summed =
      lora.rank > 0
          ? static_cast<double>(model::MakeLoraTable(model, LoraOptionsOf(lora), kPieceMultiple * ranks).total_elements)
          : static_cast<double>(table.total_elements);
  if (sharding == config::Sharding::kFull) {
    gathered = ends + (layers + (2 * batches - 1) * (layers - 2)) * block;
    if (lora.rank == 0) summed = ends + batches * layers * block;
  } else {
    gathered = summed;  // gradients, or the weights that came of them
  }
  return (gathered * static_cast<double>(precision.weights) + summed * static_cast<double>(precision.gradients)) *
         (ranks - 1) / ranks;
}

TrainerMemory MemoryOfTrainer(const model::ModelConfig& model, const config::LoraConfig& lora, int ranks,
                              config::Sharding sharding, bool recompute, int64_t tokens, const Precision& precision) {
  const model::ParameterTable table = model::MakeParameterTable(model, kPieceMultiple * ranks);
  Elements elements = ElementsOf(table, ranks, sharding);
  if (lora.rank > 0) elements = WithAdapters(model, LoraOptionsOf(lora), ranks, elements, table);
  TrainerMemory memory;
  memory.weights = elements.weights * precision.weights;
  memory.gradients = elements.gradients * precision.gradients;
  memory.optimiser = elements.moments * precision.optimiser;
  memory.activations = model::ActivationBytes(model, tokens, recompute) / 4 * precision.activations;
  memory.logits = std::max(kHeadChunkBytes, kHeadChunkRows * model.vocabulary_size * 4);
  memory.logits = std::min(memory.logits, tokens * model.vocabulary_size * 4);
  memory.communication = ranks > 1 ? kMessages * kMessageBytes : 0;
  memory.base = precision.trainer_base;
  return memory;
}

}  // namespace srlm::plan
