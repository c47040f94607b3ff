#include "coordinator/launcher/slurm_launcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "coordinator/launcher/command.h"
#include "coordinator/launcher/hosts.h"
#include "coordinator/launcher/session.h"
#include "coordinator/launcher/slurm_steps.h"

namespace srlm::launcher {
namespace {

constexpr double kSignalSeconds = 20;  // for squeue and scancel together
constexpr double kSrunSeconds = 5;     // for srun to end after its step

// Signals the ranks of the job's steps of a name: job, name, signal.
constexpr char kSignalScript[] =
    "squeue --noheader --steps --jobs=\"$0\" --format='%i %j' | while read -r step name; do "
    "[ \"$name\" != \"$1\" ] || scancel --signal=\"$2\" \"$step\"; done";

/// A launch that no run has recorded has only its id.
std::string NameOf(const LaunchSpec& spec) {
  const auto launch = spec.env.find(kLaunchVariable);
  return launch == spec.env.end() ? spec.id : StepName(launch->second);
}

std::string Joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ",")); }

}  // namespace

Result<std::unique_ptr<SlurmLauncher>> SlurmLauncher::Make(const config::LauncherConfig& config, SlurmJob job) {
  std::unique_ptr<SlurmLauncher> made(new SlurmLauncher(config, std::move(job)));
  SRLM_RETURN_IF_ERROR(CheckCommand(
      made->Template(),
      {.program = {"program"}, .hostfile = "", .more = {{"name", ""}, {"nodes", ""}, {"nodelist", ""}, {"cpus", ""}}}));
  return made;
}

std::string SlurmLauncher::Template() const { return config_.command.empty() ? kSlurmCommand : config_.command; }

int SlurmLauncher::CpusPerRank(const LaunchSpec& spec) const {
  int fewest = nodes_.Cpus(spec.hosts.front());
  for (const std::string& node : spec.hosts) fewest = std::min(fewest, nodes_.Cpus(node));
  const int ranks_on_node = (spec.ranks - 1) / static_cast<int>(spec.hosts.size()) + 1;
  const int share = std::max(1, fewest / ranks_on_node);
  return spec.threads > 0 ? std::min(spec.threads, share) : share;
}

Result<std::vector<std::string>> SlurmLauncher::CommandOf(const LaunchSpec& spec) {
  return ExpandCommand(Template(), {.ranks = spec.ranks,
                                    .program = ProgramOf(spec),
                                    .hostfile = "",
                                    .more = {{"name", NameOf(spec)},
                                             {"nodes", std::to_string(spec.hosts.size())},
                                             {"nodelist", Joined(spec.hosts)},
                                             {"cpus", std::to_string(CpusPerRank(spec))}}});
}

Result<Launch> SlurmLauncher::Start(const LaunchSpec& spec) {
  std::vector<std::string> wanted;
  for (const std::string& text : spec.hosts) {
    SRLM_ASSIGN_OR_RETURN(const Host host, ParseHost(text));
    wanted.push_back(host.name);
  }
  LaunchSpec placed = spec;
  const auto ranks = static_cast<size_t>(spec.ranks);
  placed.hosts = spec.together ? nodes_.ChooseFew(ranks, spec.threads, wanted, Clock::now())
                               : nodes_.Choose(ranks, wanted, Clock::now());
  const int cpus = CpusPerRank(placed);
  placed.env.emplace("OMP_NUM_THREADS", std::to_string(cpus));
  const int ranks_on_node = (spec.ranks - 1) / static_cast<int>(placed.hosts.size()) + 1;
  for (const std::string& node : placed.hosts)  // the job was large enough, and has lost nodes
    if (ranks_on_node > nodes_.Cpus(node)) placed.env["SLURM_OVERCOMMIT"] = "1";
  SRLM_ASSIGN_OR_RETURN(const Launch launch, LocalLauncher::Start(placed));
  nodes_.Occupy(placed.hosts);
  steps_[spec.id] = {.name = NameOf(spec), .nodes = placed.hosts, .kill_after = std::nullopt};
  LogInfo("step", {{"launch", spec.id}, {"nodes", Joined(placed.hosts)}, {"cpus_per_rank", cpus}});
  return launch;
}

Result<bool> SlurmLauncher::Adopt(const std::string& id, const std::string& launch, const std::string& log_dir) {
  SRLM_ASSIGN_OR_RETURN(const bool there, LocalLauncher::Adopt(id, launch, log_dir));
  if (there) steps_[id].name = StepName(launch);
  return there;
}

void SlurmLauncher::Abandon() {
  LocalLauncher::Abandon();
  steps_.clear();
}

Result<LaunchStatus> SlurmLauncher::Poll(const std::string& id) {
  const Clock::time_point now = Clock::now();
  nodes_.Poll(now);
  std::erase_if(signals_, [](BackgroundCommand& signal) { return signal.Poll().has_value(); });
  const auto step = steps_.find(id);
  if (step != steps_.end() && step->second.kill_after && step->second.kill_after->Expired() && !step->second.killed) {
    step->second.killed = true;
    Signal(step->second, "KILL");
    SRLM_RETURN_IF_ERROR(LocalLauncher::Stop(id, Deadline::AfterSeconds(kSrunSeconds)));
  }
  const auto status = LocalLauncher::Poll(id);
  if (!status.ok() || status->running || step == steps_.end()) return status;
  nodes_.Release(step->second.nodes);
  if (status->exit_code != 0 && !step->second.kill_after) {
    nodes_.AskAgain();
    // Of a step over several nodes nobody knows which one failed.
    if (step->second.nodes.size() == 1) nodes_.NoteFailure(step->second.nodes.front(), now);
  }
  steps_.erase(step);
  return status;
}

void SlurmLauncher::GiveUpHostsOf(const std::string& id) {
  const auto step = steps_.find(id);
  if (step == steps_.end() || step->second.nodes.size() != 1) return;
  LogWarning("slurm_node_given_up", {{"node", step->second.nodes.front()}, {"launch", id}});
  nodes_.GiveUp(step->second.nodes.front());
}

Status SlurmLauncher::Stop(const std::string& id, Deadline deadline) {
  const auto step = steps_.find(id);
  if (step == steps_.end()) return LocalLauncher::Stop(id, deadline);
  std::optional<Deadline>& kill_after = step->second.kill_after;
  if (!kill_after) Signal(step->second, "TERM");
  if (!kill_after || deadline.at() < kill_after->at()) kill_after = deadline;
  return OkStatus();
}

void SlurmLauncher::Signal(const Step& step, const std::string& signal) {
  auto started = BackgroundCommand::Start({"sh", "-c", kSignalScript, nodes_.job().id, step.name, signal},
                                          Deadline::AfterSeconds(kSignalSeconds));
  if (started.ok())
    signals_.push_back(std::move(*started));
  else
    LogWarning("slurm_signal_failed", {{"step", step.name}, {"reason", started.status().message()}});
}

Result<std::unique_ptr<Launcher>> MakeSlurmLauncher(const config::RunConfig& config, const SlurmJob& job) {
  SRLM_RETURN_IF_ERROR(CheckFits(job, config));
  SRLM_ASSIGN_OR_RETURN(std::unique_ptr<SlurmLauncher> made, SlurmLauncher::Make(config.launcher, job));
  return std::unique_ptr<Launcher>(std::move(made));
}

}  // namespace srlm::launcher
