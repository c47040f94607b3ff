// The model on CPU threads, by the kernels: float32, every stage of a layer split over the team; and over ranks, each
// with its share of the model (common/model/shard.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/rope.h"
#include "common/model/shard.h"
#include "common/parallel/communicator.h"
#include "common/parallel/ordered_sum.h"
#include "worker/engine/kernels/kernels.h"
#include "worker/engine/kv_cache.h"
#include "worker/engine/model_runner.h"
#include "worker/engine/packed_weights.h"
#include "worker/engine/sampler.h"
#include "worker/engine/thread_team.h"

namespace srlm::worker {

/// Sums over ranks have one order, so that what becomes of a row does not depend on its batch in a group either.
class CpuRunner : public ModelRunner {
 public:
  static Result<std::unique_ptr<CpuRunner>> Create(const std::string& folder, const model::ModelConfig& config,
                                                   const RunnerOptions& options, const std::function<void()>& progress);

  Status Run(const StepBatch& batch, StepOutput& out) override;
  void CopyPage(int from, int to, int tokens) override { cache_.Copy(from, to, tokens); }
  int pages() const override { return cache_.pages(); }
  int page_tokens() const override { return cache_.page_tokens(); }
  int vocabulary_size() const override { return static_cast<int>(shard_.vocabulary_size); }
  int context_tokens() const override { return static_cast<int>(config_.context_tokens); }

 private:
  /// A block of one span's rows with one key-value head: what a thread takes at a time in attention.
  struct AttentionWork {
    const SequenceSpan* span;
    int first;  // row within the span
    int tokens;
    int64_t head;
  };
  /// What is read off one row of logits.
  struct LogitUse {
    std::vector<int> samples;
    std::vector<int> scores;
  };

  CpuRunner(const model::Shard& shard, const KernelTable& kernels, PackedWeights weights, KvCache cache,
            const RunnerOptions& options);

  void Prepare(const StepBatch& batch);
  void PlanAttention(const StepBatch& batch);
  void Forward(const StepBatch& batch, int thread);
  void Embed(const StepBatch& batch, int thread);
  void Block(const StepBatch& batch, int layer, int thread);
  void RotateAndStore(const StepBatch& batch, int layer, int thread);
  void Attend(int layer, int thread);
  /// out[rows, stride] (=, +=) in . weights^T.
  void Multiply(const PackedMatrix& weights, const float* in, float* out, int64_t stride, int64_t rows, Store store,
                int thread);
  /// hidden_ += in . weights^T, which is a sum over ranks too; of a `norm` that is not empty, through it.
  void AddProduct(const PackedMatrix& weights, const float* in, const std::vector<float>& norm, int thread);
  void SumOverRanks(std::vector<float>& values, int64_t count);
  /// logits_ whole, on the first rank.
  void GatherLogits(int64_t rows, int thread);
  /// out = RMSNorm(x), as long as the weight; they may be the same memory.
  void Normalize(const float* x, const std::vector<float>& weight, float* out) const;
  void NormalizeRows(const std::vector<float>& weight, int thread);
  void ReadLogits(const StepBatch& batch, StepOutput& out, int thread);

  const model::Shard shard_;
  const model::ModelConfig& config_ = shard_.local;
  const KernelTable& kernels_;
  PackedWeights weights_;
  KvCache cache_;
  ThreadTeam team_;
  model::RopeTables rope_;
  parallel::Communicator* group_;
  std::optional<parallel::OrderedSum> sums_;
  Status group_status_;  // of thread 0, which talks to the other ranks

  // Of the current step.
  int64_t rows_ = 0;
  std::vector<float> hidden_;      // [rows, hidden]
  std::vector<float> normalized_;  // [rows, hidden]
  std::vector<float> qkv_;         // [rows, query + 2 * kv]
  std::vector<float> attended_;    // [rows, query]
  std::vector<float> gate_up_;     // [rows, 2 * intermediate]
  std::vector<float> inner_;       // [rows, intermediate]
  std::vector<float> logits_;      // [at most kLogitRows, vocabulary]
  std::vector<float> product_;     // [rows, hidden]: a group's sum, and what goes through a norm before it is added
  std::vector<float> own_logits_;  // [at most kLogitRows, token_block], a group's
  std::vector<float> all_logits_;  // the same of every rank, on the first
  std::vector<AttentionWork> attention_;
  std::vector<LogitUse> logit_uses_;
  std::vector<std::atomic<int>> next_attention_;   // one counter a layer
  std::vector<std::atomic<int>> next_logit_;       // one counter a chunk of logits
  std::vector<std::vector<float>> score_scratch_;  // one a thread
  std::vector<SamplerScratch> sampler_scratch_;    // one a thread
};

}  // namespace srlm::worker
