#include "coordinator/launcher/local_launcher.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/machine.h"
#include "common/base/spawn.h"
#include "coordinator/launcher/command.h"
#include "coordinator/launcher/hosts.h"
#include "coordinator/launcher/log_tail.h"

namespace srlm::launcher {
namespace {

constexpr size_t kTailLines = 12;             // of each log, in a failure's message
constexpr char kOutputFile[] = "output.log";  // stdout and stderr of the group, mpirun's own words among them

LaunchStatus Ended(const ExitState& exit, const std::string& log_dir) {
  LaunchStatus status{.running = false, .exit_code = exit.code, .reason = ExplainExit(exit), .tail = {}};
  if (!exit.ok()) status.tail = TailOfFolder(log_dir, kTailLines);
  return status;
}

}  // namespace

std::vector<std::string> ProgramOf(const LaunchSpec& spec) {
  std::vector<std::string> words = {spec.program};
  words.insert(words.end(), spec.args.begin(), spec.args.end());
  return words;
}

Result<std::unique_ptr<LocalLauncher>> LocalLauncher::Make(const config::LauncherConfig& config) {
  std::unique_ptr<LocalLauncher> made(new LocalLauncher(config));
  SRLM_RETURN_IF_ERROR(CheckCommand(made->CommandFor(config.hosts), {.program = {"program"}, .hostfile = "hosts"}));
  return made;
}

Status LocalLauncher::CheckCommand(const std::string& command, const CommandValues& values) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<std::string> words, ExpandCommand(command, values));
  if (words[0] == values.program[0] || CanRun(words[0])) return OkStatus();
  return NotFound(
      fmt::format("launcher: {} is not in PATH; install it (Debian: openmpi-bin, slurm-client), name its full path in "
                  "launcher.command, or start the ranks yourself with launcher.kind: none",
                  words[0]));
}

std::string LocalLauncher::CommandFor(const std::vector<std::string>& hosts) const {
  if (!config_.command.empty()) return config_.command;
  if (config_.profile == config::LauncherProfile::kLaptop) return kLaptopCommand;
  return hosts.empty() ? kClusterCommand : kHostsCommand;
}

Environment LocalLauncher::EnvironmentOf(const LaunchSpec& spec) const {
  Environment environment = CleanEnvironment();
  if (config_.profile == config::LauncherProfile::kLaptop) {
    for (const auto& [name, value] : LaptopEnvironment(geteuid() == 0)) environment[name] = value;
    environment["OMP_NUM_THREADS"] = std::to_string(ThreadsPerRank(spec.ranks));
  }
  environment["OMP_WAIT_POLICY"] = "passive";  // spinning threads of two ranks on two cores cost a factor of ten
  environment["SRLM_LOG_DIR"] = spec.log_dir;
  if (!config_.rsh_agent.empty()) environment["OMPI_MCA_plm_rsh_agent"] = config_.rsh_agent;
  for (const auto& [name, value] : spec.env) environment[name] = value;
  return environment;
}

Result<Launch> LocalLauncher::Start(const LaunchSpec& spec) {
  if (groups_.contains(spec.id)) return InvalidArgument("launch " + spec.id + " was started before");
  if (access(spec.program.c_str(), X_OK) != 0) {
    return NotFound(
        fmt::format("{}: not there or not executable; the programs lie beside srlm, build them with "
                    "`make build`",
                    spec.program));
  }
  SRLM_RETURN_IF_ERROR(MakeFolders(spec.log_dir));
  SRLM_ASSIGN_OR_RETURN(std::vector<std::string> command, CommandOf(spec));
  SRLM_ASSIGN_OR_RETURN(ProcessGroup process, ProcessGroup::Start({.command = std::move(command),
                                                                   .environment = EnvironmentOf(spec),
                                                                   .output = spec.log_dir + "/" + kOutputFile}));
  const int64_t process_group = process.pid();
  groups_.emplace(spec.id, Group{std::move(process), spec.log_dir, std::nullopt, std::nullopt});
  return Launch{.id = spec.id, .process_group = process_group};
}

Result<std::vector<std::string>> LocalLauncher::CommandOf(const LaunchSpec& spec) {
  CommandValues values{.ranks = spec.ranks, .program = ProgramOf(spec), .hostfile = ""};
  if (!spec.hosts.empty()) {
    values.hostfile = spec.log_dir + ".hosts";  // no log
    std::vector<Host> hosts;
    for (const std::string& text : spec.hosts) {
      SRLM_ASSIGN_OR_RETURN(hosts.emplace_back(), ParseHost(text));
    }
    SRLM_RETURN_IF_ERROR(WriteFileAtomic(values.hostfile, HostFile(hosts)));
  }
  return ExpandCommand(CommandFor(spec.hosts), values);
}

Result<bool> LocalLauncher::Adopt(const std::string& id, const std::string& launch, const std::string& log_dir) {
  if (groups_.contains(id)) return InvalidArgument("launch " + id + " was started before");
  std::optional<ProcessGroup> process = ProcessGroup::Adopt(launch);
  if (!process) return false;
  groups_.emplace(id, Group{std::move(*process), log_dir, std::nullopt, std::nullopt});
  return true;
}

Result<LaunchStatus> LocalLauncher::Poll(const std::string& id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return NotFound("launch " + id + " was not started here");
  Group& group = found->second;
  if (group.ended) return *group.ended;
  if (group.kill_after && group.kill_after->Expired()) group.process.Kill();
  const auto exit = group.process.Poll();
  if (!exit) return LaunchStatus{.running = true, .exit_code = 0, .reason = "", .tail = {}};
  group.ended = Ended(*exit, group.log_dir);
  return *group.ended;
}

std::vector<std::string> LocalLauncher::Running() {
  std::vector<std::string> running;
  for (const auto& [id, group] : groups_)
    if (const auto status = Poll(id); status.ok() && status->running) running.push_back(id);
  return running;
}

void LocalLauncher::Abandon() {
  for (auto& [id, group] : groups_) group.process.Release();
  groups_.clear();
}

Status LocalLauncher::Stop(const std::string& id, Deadline deadline) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return NotFound("launch " + id + " was not started here");
  Group& group = found->second;
  if (group.ended) return OkStatus();
  if (!group.kill_after) group.process.Terminate();
  if (!group.kill_after || deadline.at() < group.kill_after->at()) group.kill_after = deadline;
  return OkStatus();
}

Result<std::unique_ptr<Launcher>> MakeLocalLauncher(const config::LauncherConfig& config) {
  SRLM_ASSIGN_OR_RETURN(std::unique_ptr<LocalLauncher> made, LocalLauncher::Make(config));
  return std::unique_ptr<Launcher>(std::move(made));
}

}  // namespace srlm::launcher
