// The models that a job saves on its way, with --save-steps: OUT.step-<n>.
#pragma once

#include <cstdint>

#include "common/base/manifest.h"
#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"
#include "common/model/save.h"
#include "trainer/job/options.h"

namespace srlm::trainer {

/// Save and Check are rank 0's.
class SavedModels {
 public:
  /// Borrows the options.
  SavedModels(const TrainerOptions& options, int64_t total_steps) : options_(options), total_steps_(total_steps) {}

  /// Where the job begins, or goes on: FailedPrecondition when a model of this name was saved by another job, or one
  /// that can no longer be made is missing.
  Status Check(const checkpoint::TrainingState& state) const;

  /// Whether the model after so many steps is to be saved.
  bool Due(int64_t step) const { return step % options_.save_steps == 0 || step == total_steps_; }

  /// Saves the model as it is after `state.step` steps, whole or not at all; one that an earlier launch of the job has
  /// saved stays. Its manifest.
  Result<Manifest> Save(const checkpoint::TrainingState& state, const model::ParameterTable& table,
                        const model::ParameterValues& values) const;

 private:
  const TrainerOptions& options_;
  int64_t total_steps_;
};

}  // namespace srlm::trainer
