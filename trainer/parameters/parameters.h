// A model's weights and their gradients over the ranks of a training job: whole on every rank, or in parts.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/enums.h"
#include "common/model/model_config.h"
#include "common/model/parameters.h"
#include "common/parallel/communicator.h"
#include "trainer/optimizer/owned_stretch.h"
#include "trainer/parameters/collectives.h"
#include "trainer/parameters/tensors.h"
#include "trainer/parameters/trace.h"

namespace srlm::trainer {

/// Elements that the size of every piece is a multiple of: pieces begin where vector registers and cache lines do.
inline constexpr int64_t kPieceMultiple = 16;

/// Every unit of the table is divided into one piece a rank, all of one size; the room behind the last parameter holds
/// zeros. Whatever the sharding, gradients are summed in the order of ranks, so that it changes no bit of a step of one
/// micro-batch. With several, kFull adds up their sums over ranks, and the others the ranks' sums over them.
///
/// What is sharded (ZeRO, arXiv 1910.02054): kNone, nothing; kOptimizer (ZeRO-1), the optimiser's state, with weights
/// and gradients whole on every rank; kFull (ZeRO-3, FSDP), all three: a block's weights are gathered before it runs,
/// and its gradients leave after.
///
/// All ranks call the same members in the same order. Failures are the communicator's; after one nothing more can be
/// done with this object. Tensors are views of its memory, at its place.
class Parameters {
 public:
  /// Reads and checks a model folder: this rank's part of its weights, to `place`. Borrows `communicator` and `trace`,
  /// which may be null.
  static Result<std::unique_ptr<Parameters>> Load(const std::string& folder, config::Sharding sharding,
                                                  parallel::Communicator& communicator, Trace* trace,
                                                  const Place& place = {});
  virtual ~Parameters() = default;

  const model::ModelConfig& config() const { return config_; }
  /// What is trained: Owned and Pieces are stretches and units of it.
  const model::ParameterTable& table() const { return table_; }
  /// The whole model, as WholeUnit gives it: the same where all of it is trained.
  virtual const model::ParameterTable& model_table() const { return table_; }
  virtual Traffic traffic() const { return collectives_.traffic(); }
  Trace* trace() const { return trace_; }
  const Place& place() const { return place_; }

  // A pass over the model. What is not whole here is waited for.
  /// Until the step's end.
  virtual Result<RootTensors> Root() = 0;
  /// Until the next but one block is asked for. `next` (-1: none) is what comes after this one: it is fetched
  /// meanwhile.
  virtual Result<BlockTensors> Block(int64_t layer, int64_t next) = 0;
  /// Whether blocks' weights stay as they are from forward to backward: else their memory gets another block's.
  virtual bool blocks_stay() const { return false; }
  /// What backward adds to: sums over the step's micro-batches so far, or a part of them. Undefined tensors: of what is
  /// not trained.
  virtual RootTensors RootGradients() = 0;
  virtual Result<BlockTensors> BlockGradients(int64_t layer) = 0;
  /// No more is added to them in this micro-batch, and if it is the step's `last` one, in this step: their sum over
  /// ranks may begin.
  virtual Status RootGradientsDone(bool last) = 0;
  virtual Status BlockGradientsDone(int64_t layer, bool last) = 0;

  // A step.
  /// Gradients are zero.
  virtual void BeginStep() = 0;
  /// Waits until gradients are sums over all ranks.
  virtual Status FinishGradients() = 0;
  /// The root of the sum of all gradients' squares, in float64; after FinishGradients.
  Result<double> GradientNorm();
  /// What this rank's optimiser updates, in the order of the table.
  virtual std::vector<OwnedStretch> Owned() = 0;
  /// This rank's pieces alone, one a unit: together the ranks' are the model once. For checkpoints.
  virtual std::vector<OwnedStretch> Pieces() = 0;
  /// The owned weights have changed: every rank is to have them.
  virtual Status PublishWeights() = 0;

  /// Memory that the first step takes for gradients and for AdamW's two moments.
  int64_t StepBytes();

  /// A unit's weights [room] of model_table(), whole and in the host's memory, until the next call; for saving a model.
  Result<at::Tensor> WholeUnit(size_t unit);

 protected:
  Parameters(parallel::Communicator& communicator, Trace* trace, const Place& place)
      : communicator_(communicator), trace_(trace), place_(place), collectives_(communicator, trace) {}
  friend class AdapterParameters;  // which asks its base for units where they are
  virtual Result<at::Tensor> WholeUnitAtPlace(size_t unit) = 0;
  at::TensorOptions Floats() const { return at::TensorOptions(place_.device).dtype(at::kFloat); }
  int ranks() const { return communicator_.size(); }
  int64_t PieceSize(const model::ParameterUnit& unit) const { return unit.room / ranks(); }
  int64_t PieceBegin(const model::ParameterUnit& unit) const {
    return unit.begin + communicator_.rank() * PieceSize(unit);
  }
  size_t LastUnit() const { return table_.units.size() - 1; }
  parallel::Buffer BufferOf(const at::Tensor& flat) const {
    return {flat.data_ptr(), flat.numel(), parallel::DataType::kFloat32, place_.memory};
  }
  /// For messages and traces: "block 3".
  std::string NameOfUnit(size_t unit) const;

  model::ModelConfig config_;
  model::ParameterTable table_;
  parallel::Communicator& communicator_;
  Trace* trace_;
  Place place_;
  Collectives collectives_;

 private:
  virtual int64_t GradientElements() const = 0;
  virtual void ReadWeights(const model::WeightFiles& files) = 0;
};

}  // namespace srlm::trainer
