// The whole decoder as the trainer runs it: packs in, log-probabilities of their sequences out, gradients into one flat
// buffer. Block by block, without a global graph.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "trainer/batches/pack.h"
#include "trainer/network/decoder_block.h"
#include "trainer/network/dropout.h"
#include "trainer/network/output_head.h"

namespace srlm::trainer {

/// Elements [begin, begin + count) of the flat buffers.
struct ElementRange {
  int64_t begin = 0;
  int64_t count = 0;
};

/// Called in backward when no more will be added to a range of the gradients.
using RangeDone = std::function<void(ElementRange range)>;

class Network {
 public:
  /// Reads and checks a model folder. Positions up to `max_positions` can be computed.
  static Result<std::unique_ptr<Network>> Load(const std::string& folder, int64_t max_positions);

  const model::ModelConfig& config() const { return config_; }
  const model::ParameterTable& table() const { return table_; }
  std::span<float> weights() { return Span(weights_); }      // [total_elements]
  std::span<float> gradients() { return Span(gradients_); }  // [total_elements]; taken at the first ZeroGradients

  /// Keeps each block's input only, and runs the block again in backward: less memory, a third more time.
  void set_recompute(bool recompute) { recompute_ = recompute; }

  /// Of ForwardBackward; SequenceLogp drops nothing.
  void set_dropout(const DropoutOptions& dropout) { dropout_ = dropout; }

  /// Summed log-probability of each sequence of the pack; nothing is kept.
  std::vector<double> SequenceLogp(const Pack& pack);

  void ZeroGradients();

  /// The same values, and gradients() += those of the loss that `gradient` differentiates. `range_done` (may be null)
  /// is told of each block's range, last block first, then of the embedding's and the head's. An empty pack only tells.
  std::vector<double> ForwardBackward(const Pack& pack, const SequenceGradient& gradient, const RangeDone& range_done);

  /// Bytes that a pack of so many tokens needs for activations in ForwardBackward.
  int64_t ActivationBytes(int64_t tokens, bool recompute) const;

 private:
  Network() = default;
  static std::span<float> Span(at::Tensor& flat) {
    if (!flat.defined()) return {};
    return {flat.data_ptr<float>(), static_cast<size_t>(flat.numel())};
  }
  void Embed(const Pack& pack, at::Tensor& hidden) const;
  at::Tensor GatherTargets(const Pack& pack, const at::Tensor& hidden);
  at::Tensor NormTargets(const at::Tensor& gathered);
  void RootBackward(const Pack& pack, const at::Tensor& d_hidden);
  ElementRange BlockRange(size_t layer) const;

  model::ModelConfig config_;
  model::ParameterTable table_;
  model::RopeTable rope_;
  BlockContext context_;
  at::Tensor weights_, gradients_;  // flat
  std::vector<BlockTensors> block_weights_, block_gradients_;
  std::unique_ptr<OutputHead> head_;
  bool recompute_ = false;
  DropoutOptions dropout_;

  // Memory of a pass, used again by the next.
  std::vector<std::unique_ptr<BlockActivations>> kept_;  // one a block, or one in all
  std::vector<std::unique_ptr<Workspace>> inputs_;       // each block's input, and the last one's output
  BlockScratch scratch_;
  Workspace gathered_, normed_, normed_rstd_, d_normed_, d_gathered_, d_hidden_;
};

}  // namespace srlm::trainer
