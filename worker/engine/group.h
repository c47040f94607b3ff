// The ranks of a replica that holds its model in parts: the first schedules, and tells the others every step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// What every rank loads its share of.
struct LoadOrder {
  std::string folder;
  std::string model_id;  // what the folder must be by content (common/base/manifest.h); empty: not asked
  int pages = 0;         // of the cache
  int page_tokens = 0;
};

/// The first rank's word to the others, who follow it (FollowLeader). Until its end they wait for it between two steps,
/// for as long as it is heard. Not thread-safe: the thread of the communicator.
class GroupLeader {
 public:
  /// Ranks that are one replica; the communicator outlives it.
  explicit GroupLeader(parallel::Communicator& group);
  /// Lets the others end, unless the group has failed.
  ~GroupLeader();
  GroupLeader(const GroupLeader&) = delete;
  GroupLeader& operator=(const GroupLeader&) = delete;

  /// This rank's share, once every rank has its own; or what failed on which, and no rank has one then.
  Result<std::unique_ptr<ModelRunner>> Load(const LoadOrder& order, RunnerOptions options,
                                            const std::function<void()>& progress);

  int ranks() const { return group_.size(); }
  /// Whether another rank was told to end.
  bool AnotherWasNoticed() const { return group_.AnotherWasNoticed(); }
  /// True once the ranks are apart: a rank hangs or is gone, and nothing can be done together any more.
  bool failed() const { return failed_; }

 private:
  friend class GroupRunner;
  Status Send(const std::vector<int32_t>& message);
  /// Runs what all ranks do together, between two waits of the others.
  Status Together(const std::function<Status()>& work);
  void Unload();

  parallel::Communicator& group_;
  std::optional<parallel::AloneWork> between_;  // two steps
  bool failed_ = false;
};

/// The life of every other rank: does what the first rank says until that lets it end. `check` answers for a model
/// folder with a wanted model_id. A failure of this rank while it loads is the first rank's to tell, and is returned by
/// its Load; one that is returned here means that the ranks are apart.
Status FollowLeader(parallel::Communicator& group, const ComputeOptions& compute,
                    const std::function<Status(const std::string& folder, const std::string& model_id)>& check);

/// Before any work: all ranks run the same version of this program. FailedPrecondition names one that does not.
Status CheckSameProgram(parallel::Communicator& group);

/// The id of the bits that the group computes (arithmetic.h): this rank's own for a group of one.
Result<std::string> GroupArithmeticId(parallel::Communicator& group, const ComputeOptions& compute);

}  // namespace srlm::worker
