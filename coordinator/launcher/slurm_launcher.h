// Groups of ranks as steps of the Slurm job that the coordinator is the batch script of.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/launcher/background_command.h"
#include "coordinator/launcher/local_launcher.h"
#include "coordinator/launcher/slurm_nodes.h"

namespace srlm::launcher {

/// Each group is an `srun` on this host, watched like any local command; the nodes of its step are chosen here.
class SlurmLauncher final : public LocalLauncher {
 public:
  /// As LocalLauncher::Make; NotFound when srun is not in PATH.
  static Result<std::unique_ptr<SlurmLauncher>> Make(const config::LauncherConfig& config, SlurmJob job);

  /// `spec.hosts` are preferred where they are up; else nodes with few groups, and not those that failed.
  Result<Launch> Start(const LaunchSpec& spec) override;
  /// Of a coordinator before this one in the same job: where its ranks are is not known, and not asked.
  Result<bool> Adopt(const std::string& id, const std::string& launch, const std::string& log_dir) override;
  Result<LaunchStatus> Poll(const std::string& id) override;
  void Abandon() override;
  std::vector<std::string> Hosts() const override { return nodes_.job().nodes; }
  void GiveUpHostsOf(const std::string& id) override;
  /// TERM goes to the ranks and not to srun, which would end the step without a word; after the deadline the step is
  /// cancelled.
  Status Stop(const std::string& id, Deadline deadline) override;

 private:
  struct Step {
    std::string name;
    std::vector<std::string> nodes;
    std::optional<Deadline> kill_after;  // set by Stop
    bool killed = false;
  };

  SlurmLauncher(config::LauncherConfig config, SlurmJob job)
      : LocalLauncher(std::move(config)), nodes_(std::move(job)) {}
  std::string Template() const;
  Result<std::vector<std::string>> CommandOf(const LaunchSpec& spec) override;
  int CpusPerRank(const LaunchSpec& spec) const;
  void Signal(const Step& step, const std::string& signal);

  SlurmNodes nodes_;
  std::map<std::string, Step> steps_;       // by launch id; those that have not ended
  std::vector<BackgroundCommand> signals_;  // under way
};

}  // namespace srlm::launcher
