// A model that stays as it is, and adapters that are trained in its place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/parameters/lora.h"
#include "trainer/parameters/parameters.h"

namespace srlm::trainer {

/// LoRA. The network sees each block with its adapters merged in, in memory that blocks share, and gives the gradients
/// of the merged matrices, of which those of A and B are made: s B^T dW and s dW A^T, with s = alpha / rank. Adapters,
/// their gradients and moments are whole on every rank; the model is whole or in parts, as `base` is.
class AdapterParameters : public Parameters {
 public:
  /// `base` is of the same communicator. Adapters are those of the beginning, by `seed`.
  AdapterParameters(std::unique_ptr<Parameters> base, const model::LoraOptions& options, uint64_t seed,
                    parallel::Communicator& communicator, Trace* trace);

  const model::LoraOptions& options() const { return options_; }
  /// The adapters, flat [table().total_elements].
  const at::Tensor& adapters() const { return adapters_; }

  const model::ParameterTable& model_table() const override { return base_->table(); }
  Traffic traffic() const override;
  Result<RootTensors> Root() override { return base_->Root(); }
  Result<BlockTensors> Block(int64_t layer, int64_t next) override;
  RootTensors RootGradients() override { return {}; }
  Result<BlockTensors> BlockGradients(int64_t layer) override;
  Status RootGradientsDone(bool) override { return OkStatus(); }
  Status BlockGradientsDone(int64_t layer, bool last) override;
  void BeginStep() override;
  Status FinishGradients() override;
  std::vector<OwnedStretch> Owned() override;
  std::vector<OwnedStretch> Pieces() override;
  Status PublishWeights() override;

 private:
  Result<at::Tensor> WholeUnitAtPlace(size_t unit) override;
  at::Tensor Empty(int64_t rows, int64_t columns) const { return at::empty({rows, columns}, Floats()); }
  int64_t GradientElements() const override;
  void ReadWeights(const model::WeightFiles&) override {}
  BlockTensors NewScratch() const;
  void AddAdapters(size_t layer, const BlockTensors& block) const;
  OwnedStretch StretchAt(int64_t begin, int64_t count);

  std::unique_ptr<Parameters> base_;
  model::LoraOptions options_;
  at::Tensor adapters_, gradients_;  // flat
  std::vector<BlockLora> blocks_, block_gradients_;
  BlockTensors merged_, merged_gradients_;  // of adapted matrices; gradients of norms too, which nobody reads
  int64_t merged_layer_ = -1;
  at::Tensor whole_;  // a unit, for WholeUnit
};

}  // namespace srlm::trainer
