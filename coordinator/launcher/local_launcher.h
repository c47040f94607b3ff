// Groups of ranks: a command on this host, by default mpirun, in a session of its own. mpirun puts the ranks here or on
// other hosts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/launcher/command.h"
#include "coordinator/launcher/launcher.h"
#include "coordinator/launcher/process_group.h"

namespace srlm::launcher {

/// The program of a launch and its arguments.
std::vector<std::string> ProgramOf(const LaunchSpec& spec);

/// The Launcher that MakeLocalLauncher gives.
class LocalLauncher : public Launcher {
 public:
  /// InvalidArgument for a command template that cannot be filled; NotFound when its program is not in PATH.
  static Result<std::unique_ptr<LocalLauncher>> Make(const config::LauncherConfig& config);

  Result<Launch> Start(const LaunchSpec& spec) override;
  Result<bool> Adopt(const std::string& id, const std::string& launch, const std::string& log_dir) override;
  Result<LaunchStatus> Poll(const std::string& id) override;
  std::vector<std::string> Running() override;
  void Abandon() override;
  Status Stop(const std::string& id, Deadline deadline) override;

 protected:
  explicit LocalLauncher(config::LauncherConfig config) : config_(std::move(config)) {}

  /// Whether the program that `command` begins with is there.
  static Status CheckCommand(const std::string& command, const CommandValues& values);
  /// The words that start a group; its log folder exists.
  virtual Result<std::vector<std::string>> CommandOf(const LaunchSpec& spec);

  const config::LauncherConfig config_;

 private:
  struct Group {
    ProcessGroup process;
    std::string log_dir;
    std::optional<Deadline> kill_after;  // set by Stop
    std::optional<LaunchStatus> ended;   // once it has, so that its logs are read once
  };

  /// The template for a group on such hosts.
  std::string CommandFor(const std::vector<std::string>& hosts) const;
  Environment EnvironmentOf(const LaunchSpec& spec) const;

  std::map<std::string, Group> groups_;  // by launch id
};

}  // namespace srlm::launcher
