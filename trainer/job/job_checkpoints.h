// A job's checkpoints: what it writes, and what it goes on from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"
#include "common/parallel/communicator.h"
#include "trainer/job/options.h"
#include "trainer/job/trainer.h"
#include "trainer/network/network.h"
#include "trainer/optimizer/adamw.h"

namespace srlm::trainer {

/// All ranks hold the same values, so rank 0 writes and reads for all.
class JobCheckpoints {
 public:
  /// Borrows everything.
  JobCheckpoints(const TrainerOptions& options, Network& network, AdamW& optimizer, Trainer& trainer);

  /// Rank 0: the newest whole checkpoint's values into network, optimizer and trainer, and where it stands into
  /// `state`, whose identity says which job this is. `path()` is empty when there was none to go on from.
  /// FailedPrecondition when the folder's checkpoints are of another job: says what differs and what to do. Threads
  /// that nobody asked for are no difference: the state's are those of the checkpoint.
  Status Load(checkpoint::TrainingState& state);

  /// All ranks, after rank 0's Load: gives its values to all. `threads` [ranks] become the checkpoint's.
  Status Share(parallel::Communicator& communicator, checkpoint::TrainingState& state, std::span<int64_t> threads);

  /// Rank 0: writes the values as they are now.
  Status Save(const checkpoint::TrainingState& state);

  /// Of the checkpoint that was loaded or saved last.
  const std::string& path() const { return path_; }
  /// Newer checkpoints that Load could not use, with their files.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  const TrainerOptions& options_;
  checkpoint::CheckpointFolder folder_;
  Network& network_;
  AdamW& optimizer_;
  Trainer& trainer_;
  std::string path_;
  std::vector<std::string> refused_;
};

}  // namespace srlm::trainer
