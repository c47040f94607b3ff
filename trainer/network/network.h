// The whole decoder as the trainer runs it: packs in, log-probabilities of their sequences out, gradients into its
// parameters. Block by block, without a global graph.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "trainer/batches/pack.h"
#include "trainer/network/dropout.h"
#include "trainer/network/output_head.h"
#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// One implementation for processors (cpu_network.h) and one for devices (aten_network.h); they agree within rounding.
/// All ranks call its passes in the same order, with packs of their own.
class Network {
 public:
  virtual ~Network() = default;
  const model::ModelConfig& config() const { return parameters_->config(); }
  Parameters& parameters() { return *parameters_; }

  /// Keeps each block's input only, and runs the block again in backward: less memory, a third more time.
  void set_recompute(bool recompute) { recompute_ = recompute; }

  /// Of ForwardBackward; SequenceLogp drops nothing.
  void set_dropout(const DropoutOptions& dropout) { dropout_ = dropout; }

  /// Summed log-probability of each sequence of the pack; nothing is kept. An empty pack gives none.
  virtual Result<std::vector<double>> SequenceLogp(const Pack& pack) = 0;

  /// The same values, and the parameters' gradients += those of the loss that `gradient` differentiates. `last`: no
  /// more comes in this step. Also after a pack without a token the parameters hear that their gradients are done.
  virtual Result<std::vector<double>> ForwardBackward(const Pack& pack, const SequenceGradient& gradient,
                                                      bool last) = 0;

 protected:
  explicit Network(std::unique_ptr<Parameters> parameters) : parameters_(std::move(parameters)) {}

  std::unique_ptr<Parameters> parameters_;
  bool recompute_ = false;
  DropoutOptions dropout_;
};

/// For the parameters' place. Positions up to `max_positions` can be computed.
std::unique_ptr<Network> MakeNetwork(std::unique_ptr<Parameters> parameters, int64_t max_positions);

}  // namespace srlm::trainer
