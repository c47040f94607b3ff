// The network on processors, by the row kernels and ATen's products; forward and backward by hand.
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
#include "trainer/network/network.h"

namespace srlm::trainer {

class CpuNetwork : public Network {
 public:
  /// Positions up to `max_positions` can be computed.
  CpuNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions);

  Result<std::vector<double>> SequenceLogp(const Pack& pack) override;
  Result<std::vector<double>> ForwardBackward(const Pack& pack, const SequenceGradient& gradient, bool last) override;

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

  model::RopeTables rope_;
  std::unique_ptr<OutputHead> head_;  // from the first pass on

  // Memory of a pass, used again by the next.
  std::vector<std::unique_ptr<BlockActivations>> kept_;  // one a block, or one in all
  std::vector<std::unique_ptr<Workspace>> inputs_;       // each block's input, and the last one's output
  std::vector<at::Tensor> hidden_;                       // views of them in this pass
  BlockScratch scratch_;
  Workspace gathered_, normed_, normed_rstd_, d_normed_, d_gathered_, d_hidden_;
};

}  // namespace srlm::trainer
