// The network on a device, by ATen's operations and its autograd, a block at a time.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "trainer/network/aten_block.h"
#include "trainer/network/network.h"

namespace srlm::trainer {

/// Master weights and gradients are float32, products are in the place's numbers. A block's graph is kept from forward
/// to backward where its weights stay as they are and recomputing is not asked for; else only its input is. Dropout's
/// masks are the processor's, made by the host. FailedPrecondition when the device's memory is full.
class AtenNetwork : public Network {
 public:
  /// Positions up to `max_positions` can be computed.
  AtenNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions);

  Result<std::vector<double>> SequenceLogp(const Pack& pack) override;
  Result<std::vector<double>> ForwardBackward(const Pack& pack, const SequenceGradient& gradient, bool last) override;

 private:
  /// A block on the way to its backward: views of its weights that autograd knows, its input and its output.
  struct Graph {
    BlockTensors weights;
    std::vector<at::Tensor> inputs;                 // x, then what has gradients
    std::vector<at::Tensor BlockTensors::*> names;  // of the latter
    at::Tensor out;                                 // undefined: to be computed again
  };

  Status Forward(const Pack& pack, const PackOnDevice& indices, const Dropout& masks, bool keep);
  Graph MakeGraph(int64_t layer, const Pack& pack, const PackOnDevice& indices, const Dropout& masks,
                  const BlockTensors& block, const at::Tensor& x) const;
  Result<std::vector<double>> Head(const Pack& pack, const PackOnDevice& indices, const SequenceGradient* gradient,
                                   at::Tensor& d_hidden);
  Status Backward(const Pack& pack, const PackOnDevice& indices, const Dropout& masks, at::Tensor d_hidden, bool last);
  AtenBlockContext ContextOf(int64_t layer, const PackOnDevice& indices, const Dropout& masks) const;
  void Computed(const char* what, int64_t layer, Clock::time_point begin) const;

  const at::Device device_;
  const at::ScalarType numbers_;
  Rotation all_, local_;
  std::vector<at::Tensor> hidden_;  // each block's input, with `keep`; then the last one's output
  std::vector<Graph> graphs_;       // by layer
};

}  // namespace srlm::trainer
