// The models that a job saves on its way, with --save-steps: OUT.step-<n>.
#pragma once

#include <cstdint>

#include "common/base/manifest.h"
#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"
#include "trainer/job/options.h"
#include "trainer/network/network.h"

namespace srlm::trainer {

/// Used on rank 0.
class SavedModels {
 public:
  /// Borrows everything.
  SavedModels(const TrainerOptions& options, int64_t total_steps, Network& network)
      : options_(options), total_steps_(total_steps), network_(network) {}

  /// Where the job begins, or goes on: FailedPrecondition when a model of this name was saved by another job, or one
  /// that can no longer be made is missing.
  Status Check(const checkpoint::TrainingState& state) const;

  /// Whether the model after so many steps is to be saved.
  bool Due(int64_t step) const { return step % options_.save_steps == 0 || step == total_steps_; }

  /// Saves the network as it is after `state.step` steps, whole or not at all; one that an earlier launch of the job
  /// has saved stays. Its manifest.
  Result<Manifest> Save(const checkpoint::TrainingState& state) const;

 private:
  const TrainerOptions& options_;
  int64_t total_steps_;
  Network& network_;
};

}  // namespace srlm::trainer
