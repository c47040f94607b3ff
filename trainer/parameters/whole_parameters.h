// Parameters that are whole on every rank.
#pragma once

#include <deque>
#include <utility>

#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// Sharding::kNone and kOptimizer. Gradients are summed piece by piece, each rank its own, and then gathered (kNone),
/// or only the weights that came of them are (kOptimizer): as many bytes either way.
class WholeParameters : public Parameters {
 public:
  WholeParameters(parallel::Communicator& communicator, Trace* trace, const Place& place, bool update_all)
      : Parameters(communicator, trace, place), update_all_(update_all) {}

  Result<RootTensors> Root() override { return root_; }
  Result<BlockTensors> Block(int64_t layer, int64_t) override { return blocks_[static_cast<size_t>(layer)]; }
  bool blocks_stay() const override { return true; }
  RootTensors RootGradients() override { return root_gradients_; }
  Result<BlockTensors> BlockGradients(int64_t layer) override { return block_gradients_[static_cast<size_t>(layer)]; }
  Status RootGradientsDone(bool last) override;
  Status BlockGradientsDone(int64_t layer, bool last) override;
  void BeginStep() override;
  Status FinishGradients() override;
  std::vector<OwnedStretch> Owned() override;
  std::vector<OwnedStretch> Pieces() override;
  Status PublishWeights() override;

 private:
  Result<at::Tensor> WholeUnitAtPlace(size_t unit) override;
  int64_t GradientElements() const override { return table_.total_elements; }
  void ReadWeights(const model::WeightFiles& files) override;
  void MakeViews(at::Tensor& flat, RootTensors& root, std::vector<BlockTensors>& blocks) const;
  at::Tensor UnitOf(at::Tensor& flat, size_t unit) const;
  Status SumUnit(size_t unit);
  Status GatherUnit(at::Tensor& flat, size_t unit, const char* what);
  Status EndOldestSum();
  OwnedStretch StretchAt(int64_t begin, int64_t count);

  bool update_all_;
  at::Tensor weights_, gradients_;  // flat [total_elements]
  RootTensors root_, root_gradients_;
  std::vector<BlockTensors> blocks_, block_gradients_;
  std::deque<std::pair<size_t, int64_t>>
      sums_;  // units whose sum has begun and was not waited for yet, with its number
};

}  // namespace srlm::trainer
