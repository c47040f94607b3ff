// The nodes of a Slurm job, and on which of them the next group is put.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "coordinator/launcher/background_command.h"
#include "coordinator/launcher/slurm_job.h"

namespace srlm::launcher {

/// One thread owns it; no call waits. Every 10 s Slurm is asked which nodes the job still has, and which of them are
/// up.
class SlurmNodes {
 public:
  explicit SlurmNodes(SlurmJob job);

  const SlurmJob& job() const { return job_; }

  /// Asks Slurm where that is due, and takes the answer where it has come.
  void Poll(Clock::time_point now);

  /// At most `count` different nodes for a group, the best first: those that are up before those that failed lately,
  /// `wanted` before others, those with few groups before those with many. Nodes that are down or were given up are
  /// left out, unless there are no others.
  std::vector<std::string> Choose(size_t count, const std::vector<std::string>& wanted, Clock::time_point now) const;

  /// The fewest of them, the best first, of which each has the CPUs for its share of `ranks` ranks with `threads` each;
  /// where there are none, as many as Choose gives.
  std::vector<std::string> ChooseFew(size_t ranks, int threads, const std::vector<std::string>& wanted,
                                     Clock::time_point now) const;

  void Occupy(const std::vector<std::string>& nodes) { Count(nodes, 1); }
  void Release(const std::vector<std::string>& nodes) { Count(nodes, -1); }
  /// A group failed: Slurm is asked again now.
  void AskAgain() { ask_at_ = {}; }
  /// A group on this node failed: others are tried first for a minute.
  void NoteFailure(const std::string& node, Clock::time_point now);
  /// This node does not bring its ranks up: it is left out from now on.
  void GiveUp(const std::string& node);

  /// CPUs that the job has on a node.
  int Cpus(const std::string& node) const;

 private:
  struct Node {
    int cpus = 1;
    size_t place = 0;  // in the job's list
    int groups = 0;
    bool up = true;
    bool given_up = false;
    Clock::time_point failed_until{};
  };
  void Count(const std::vector<std::string>& nodes, int change);
  void TakeStates(const std::string& answer);

  SlurmJob job_;
  std::map<std::string, Node> nodes_;
  std::optional<BackgroundCommand> asking_;
  Clock::time_point ask_at_{};
};

/// Whether a node in this state ("idle", "mixed", "down*", ...; sinfo's %T) can run what is started on it.
bool IsUp(const std::string& state);

}  // namespace srlm::launcher
