// Parameters of which every rank has its pieces only.
#pragma once

#include <array>

#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// Sharding::kFull. Two blocks' weights are whole at a time, the one that runs and the next, and two blocks' gradients,
/// the ones that are added to and those on their way. Embedding, final norm and lm_head are whole for a step long, and
/// their gradients leave once. Two blocks stay whole where a pass turns round, so forward and backward through L blocks
/// gather L and L - 2 of them, and every later micro-batch of a step 2 (L - 2).
class PartedParameters : public Parameters {
 public:
  PartedParameters(parallel::Communicator& communicator, Trace* trace, const Place& place)
      : Parameters(communicator, trace, place) {}

  Result<RootTensors> Root() override;
  Result<BlockTensors> Block(int64_t layer, int64_t next) override;
  RootTensors RootGradients() override { return root_gradients_; }
  Result<BlockTensors> BlockGradients(int64_t layer) override;
  Status RootGradientsDone(bool last) override;
  Status BlockGradientsDone(int64_t layer, bool last) override;
  void BeginStep() override;
  Status FinishGradients() override { return collectives_.WaitForAll(); }
  std::vector<OwnedStretch> Owned() override { return Pieces(); }
  std::vector<OwnedStretch> Pieces() override;
  Status PublishWeights() override;

 private:
  /// A block that is whole at the moment.
  struct Slot {
    at::Tensor flat;
    BlockTensors tensors;
    int64_t layer = -1;
    int64_t number = -1;  // of the collective that fills it, or takes its content away
    at::Tensor sum;       // gradients only: this rank's piece of their sum over ranks
  };
  Result<at::Tensor> WholeUnitAtPlace(size_t unit) override;
  at::Tensor Zeros(int64_t elements) const { return at::zeros({elements}, Floats()); }
  int64_t GradientElements() const override;
  void ReadWeights(const model::WeightFiles& files) override;
  void MakeGradients();
  Slot MakeSlot();
  at::Tensor Piece(at::Tensor& local, size_t unit) const;
  Status Gather(size_t unit, at::Tensor& whole, int64_t& number);
  Status GatherRoot();
  Slot* SlotOf(int64_t layer);
  Result<Slot*> Fetch(int64_t layer, const Slot* keep);
  Status SumUnit(size_t unit, at::Tensor& whole, at::Tensor& sum, int64_t& number);

  std::vector<int64_t> local_begins_;               // of each unit's piece in the local buffers
  at::Tensor local_weights_, local_gradients_;      // [sum of piece sizes]
  std::array<at::Tensor, 2> root_, root_gradient_;  // the first and the last unit, whole
  std::array<at::Tensor, 2> root_sum_;              // this rank's pieces
  std::array<int64_t, 2> root_numbers_ = {-1, -1};
  RootTensors root_tensors_, root_gradients_;
  bool root_is_whole_ = false;
  std::array<Slot, 2> weights_, gradients_;
  size_t next_gradients_ = 0;
};

}  // namespace srlm::trainer
