// The whole decoder as the trainer runs it: packs in, log-probabilities of their sequences out, gradients into its
// parameters. Block by block, without a global graph.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/model/model_config.h"
#include "common/model/rope.h"
#include "trainer/batches/pack.h"
#include "trainer/network/decoder_block.h"
#include "trainer/network/dropout.h"
#include "trainer/network/output_head.h"
#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// All ranks call its passes in the same order, with packs of their own.
class Network {
 public:
  /// Positions up to `max_positions` can be computed.
  Network(std::unique_ptr<Parameters> parameters, int64_t max_positions);

  const model::ModelConfig& config() const { return parameters_->config(); }
  Parameters& parameters() { return *parameters_; }

  /// Keeps each block's input only, and runs the block again in backward: less memory, a third more time.
  void set_recompute(bool recompute) { recompute_ = recompute; }

  /// Of ForwardBackward; SequenceLogp drops nothing.
  void set_dropout(const DropoutOptions& dropout) { dropout_ = dropout; }

  /// Summed log-probability of each sequence of the pack; nothing is kept. An empty pack gives none.
  Result<std::vector<double>> SequenceLogp(const Pack& pack);

  /// The same values, and the parameters' gradients += those of the loss that `gradient` differentiates. `last`: no
  /// more comes in this step. Also after a pack without a token the parameters hear that their gradients are done.
  Result<std::vector<double>> ForwardBackward(const Pack& pack, const SequenceGradient& gradient, bool last);

 private:
  Result<RootTensors> Root();
  Status Forward(const Pack& pack, const Dropout& masks, bool keep);
  Result<std::vector<double>> HeadForwardBackward(const Pack& pack, const SequenceGradient& gradient,
                                                  at::Tensor& d_hidden);
  Status Backward(const Pack& pack, const Dropout& masks, at::Tensor& d_hidden, bool last);
  void Embed(const Pack& pack, const at::Tensor& table, at::Tensor& hidden) const;
  void EmbedBackward(const Pack& pack, const at::Tensor& d_hidden, at::Tensor d_table) const;
  at::Tensor GatherTargets(const Pack& pack, const at::Tensor& hidden);
  at::Tensor NormTargets(const at::Tensor& gathered, const at::Tensor& weights);
  BlockActivations& Kept(int64_t layer) { return *kept_[recompute_ ? 0 : static_cast<size_t>(layer)]; }
  BlockContext ContextOf(int64_t layer) const;
  void Computed(const char* what, int64_t layer, Clock::time_point begin) const;

  std::unique_ptr<Parameters> parameters_;
  model::RopeTables rope_;
  std::unique_ptr<OutputHead> head_;  // from the first pass on
  bool recompute_ = false;
  DropoutOptions dropout_;

  // Memory of a pass, used again by the next.
  std::vector<std::unique_ptr<BlockActivations>> kept_;  // one a block, or one in all
  std::vector<std::unique_ptr<Workspace>> inputs_;       // each block's input, and the last one's output
  std::vector<at::Tensor> hidden_;                       // views of them in this pass
  BlockScratch scratch_;
  Workspace gathered_, normed_, normed_rstd_, d_normed_, d_gathered_, d_hidden_;
};

}  // namespace srlm::trainer
