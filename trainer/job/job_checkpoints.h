// A job's checkpoints: what it writes, and what it goes on from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/checkpoint/checkpoint.h"
#include "common/parallel/communicator.h"
#include "trainer/job/options.h"
#include "trainer/job/shards.h"
#include "trainer/job/trainer.h"
#include "trainer/network/network.h"
#include "trainer/optimizer/adamw.h"

namespace srlm::trainer {

/// Every rank writes its pieces, whatever is sharded while training, and reads what it needs of them: as many ranks as
/// there are now, of as many as there were then. All ranks call the same members in the same order; a failure is every
/// rank's, and its text rank 0's or that of the lowest rank that failed.
class JobCheckpoints {
 public:
  /// Borrows everything.
  JobCheckpoints(const TrainerOptions& options, parallel::Communicator& communicator, Network& network,
                 AdamW& optimizer, Trainer& trainer);

  /// The newest whole checkpoint's values into network, optimizer and trainer, and where it stands into `state`, whose
  /// identity says which job this is. `path()` is empty when there was none to go on from. FailedPrecondition when the
  /// folder's checkpoints are of another job: says what differs and what to do. Threads that nobody asked for, and
  /// another number of ranks, are no difference: the state's are those of the checkpoint and those of now.
  Status Load(checkpoint::TrainingState& state);

  /// Writes the values as they are now.
  Status Save(const checkpoint::TrainingState& state);

  /// Of the checkpoint that was loaded or saved last.
  const std::string& path() const { return path_; }
  /// Ranks that wrote what was loaded.
  int64_t written_by() const { return written_by_; }
  /// Newer checkpoints that Load could not use, with their files. On rank 0.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  bool leads() const { return communicator_.rank() == 0; }
  Status TogetherAt(const Status& mine, const char* what);
  Status FindNewest();
  Status VerifyTogether(const std::string& path);
  Result<std::string> FromRank0(std::string text, const char* what);
  Status CheckJob(const checkpoint::TrainingState& stored, const checkpoint::TrainingState& state) const;
  Status ReadValues(const checkpoint::TrainingState& stored);
  Result<std::vector<checkpoint::FileEntry>> WriteMine(int64_t step);
  Result<std::vector<checkpoint::FileEntry>> EntriesOfAll(const std::vector<checkpoint::FileEntry>& mine);

  const TrainerOptions& options_;
  parallel::Communicator& communicator_;
  checkpoint::CheckpointFolder folder_;  // rank 0's object
  Network& network_;
  AdamW& optimizer_;
  Trainer& trainer_;
  std::string path_;
  int64_t written_by_ = 0;
  std::vector<std::string> refused_;
};

}  // namespace srlm::trainer
