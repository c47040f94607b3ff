// The model on a device by ATen's own operations: on CUDA, and on processors for what is to be checked without it.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/aten/rotation.h"
#include "common/base/status.h"
#include "common/model/shard.h"
#include "worker/aten/aten_weights.h"
#include "worker/aten/attention_plan.h"
#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// Matrices, keys and values have options.compute.numbers; the hidden state between parts, norms, rotations, softmax,
/// logits and log-probabilities are float32. Keys and values are gathered page by page for ATen's attention. In a group
/// parts are summed over ranks in the number type, in an order that the communicator chooses.
class AtenRunner : public ModelRunner {
 public:
  /// options.compute.device says where: it was taken before (device::TakeDevice). FailedPrecondition when the
  /// device has no room.
  static Result<std::unique_ptr<AtenRunner>> Create(const std::string& folder, const model::ModelConfig& config,
                                                    const RunnerOptions& options,
                                                    const std::function<void()>& progress);

  Status Run(const StepBatch& batch, StepOutput& out) override;
  void CopyPage(int from, int to, int tokens) override;
  int pages() const override { return options_.pages; }
  int page_tokens() const override { return options_.page_tokens; }
  int vocabulary_size() const override { return static_cast<int>(shard_.vocabulary_size); }
  int context_tokens() const override { return static_cast<int>(config_.context_tokens); }

 private:
  /// What all layers of a kind (those that see all, those that see a window) share in a step.
  struct Layers {
    std::vector<AttentionCall> calls;
    Rotation rotation;
  };

  AtenRunner(const model::Shard& shard, const RunnerOptions& options, at::Device device, at::ScalarType type);
  Status Load(const std::string& folder, const model::ModelConfig& config, const std::function<void()>& progress);
  void MakeCache();

  Status Compute(const StepBatch& batch, StepOutput& out);
  Layers PlanLayers(const StepBatch& batch, bool local, const at::Tensor& positions) const;
  Result<at::Tensor> Embed(const at::Tensor& tokens);
  Status Block(int64_t layer, const Layers& layers, const at::Tensor& slots, at::Tensor& hidden);
  Status Attend(int64_t layer, const Layers& layers, const at::Tensor& queries, at::Tensor& attended) const;
  Status AttendPaged(int64_t layer, const AttentionCall& call, const at::Tensor& queries, at::Tensor& attended) const;
  bool own_kernels() const { return options_.compute.own_kernels && options_.compute.device != nullptr; }
  /// hidden += product, which is a sum over ranks too; through `norm` first where that is defined.
  Status Add(at::Tensor product, const at::Tensor& norm, at::Tensor& hidden);
  Status SumOverRanks(at::Tensor& values);
  Status ReadOut(const StepBatch& batch, const at::Tensor& hidden, StepOutput& out);
  /// [rows, the model's vocabulary] in float32 on the first rank, undefined on others.
  Result<at::Tensor> Logits(const at::Tensor& rows);
  at::Tensor Norm(const at::Tensor& x, const at::Tensor& factor) const;
  at::Tensor Longs(const std::vector<int64_t>& values) const;

  const model::Shard shard_;
  const model::ModelConfig& config_ = shard_.local;
  const RunnerOptions options_;
  const at::Device device_;
  const at::ScalarType type_;
  parallel::Communicator* const group_;  // null: one rank
  AtenWeights weights_;
  std::vector<at::Tensor> keys_, values_;  // a layer: [pages * page_tokens, kv_heads, head_dim]
  Rotation all_, local_;                   // of all positions
};

}  // namespace srlm::worker
