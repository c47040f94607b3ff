#include <fmt/format.h>

#include "common/base/process.h"
#include "coordinator/fsck/run.h"
#include "coordinator/launcher/session.h"
#include "coordinator/launcher/slurm_steps.h"

namespace srlm::fsck {

// Every process of a launch has the run and the launch in its environment, whoever started it.
Status CheckProcesses(const Run& run, Report& report) {
  report.Begin("processes");
  const std::string prefix = run.run_id + "/";
  for (const ProcessEntry& process : LivingProcesses()) {
    const auto launch = ReadVariable(process.pid, launcher::kLaunchVariable);
    if (!launch || run.run_id.empty() || !launch->starts_with(prefix)) continue;
    report.Add(
        fmt::format("process {}", process.pid),
        fmt::format("it is of launch {} of this run, and runs without a coordinator", launch->substr(prefix.size())),
        fmt::format("`srlm run` takes a worker over and ends a trainer; to end it: kill {}", process.pid));
  }
  const config::RunConfig& config = run.config;
  if (config.launcher.kind == config::LauncherKind::kSlurm) {
    const auto steps = run.run_id.empty() ? std::vector<launcher::SlurmStep>() : launcher::StepsOfRun(run.run_id);
    if (!steps.ok()) report.NotChecked("Slurm's steps: " + steps.status().message());
    for (const launcher::SlurmStep& step : steps.ok() ? *steps : std::vector<launcher::SlurmStep>())
      report.Add(fmt::format("Slurm step {}", step.id),
                 fmt::format("it is {} of this run, and runs without a coordinator", step.name),
                 fmt::format("`scancel {}`", step.id));
  } else if (!config::HostsOf(config.workers, config.launcher).empty() ||
             !config::HostsOf(config.trainer, config.launcher).empty()) {
    report.NotChecked(fmt::format("the other hosts of the run: its processes there have {}={}... in their environment",
                                  launcher::kLaunchVariable, prefix));
  }
  SRLM_ASSIGN_OR_RETURN(const auto open, run.ledger.OpenLaunches());
  SRLM_ASSIGN_OR_RETURN(const auto all, run.ledger.Launches());
  const bool ended = run.done() || run.state == "ended" || run.state == "cancelled";
  for (const ledger::LaunchRow& row : open) {
    if (!ended || row.host != HostName()) continue;  // a killed coordinator, or one on another host, could not note it
    report.Add("launches, " + row.launch_id,
               fmt::format("the run is {}, and the end of this launch is not noted", run.state),
               "`srlm run` notes it, and ends what it finds of it");
  }
  report.Counted(
      fmt::format("{} launches, {} not noted as ended; processes of {}", all.size(), open.size(), HostName()));
  return OkStatus();
}

}  // namespace srlm::fsck
