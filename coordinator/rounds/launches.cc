#include "coordinator/rounds/launches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/process.h"
#include "coordinator/launcher/session.h"

namespace srlm::rounds {
namespace {

std::string LaunchName(const Context& context, const std::string& launch_id) {
  return context.run_id + "/" + launch_id;
}

}  // namespace

Status StartRecorded(const Context& context, const std::string& launch_id, const std::string& program,
                     const std::function<Result<int64_t>(const std::string& name)>& start) {
  ledger::LaunchRow row = {launch_id, program, context.epoch, HostName(), 0, WallClockMs(), 0, ""};
  Failpoint("launch.before_record");
  SRLM_RETURN_IF_ERROR(context.ledger.SetLaunch(row));
  SRLM_RETURN_IF_ERROR(context.ledger.Commit());
  Failpoint("launch.before_start");
  const Status started = context.WithRoom([&] {  // for its logs
    SRLM_ASSIGN_OR_RETURN(row.process_group, start(LaunchName(context, launch_id)));
    return OkStatus();
  });
  if (!started.ok()) {
    SRLM_RETURN_IF_ERROR(RecordEnd(context, launch_id, "it could not be started"));
    return started;
  }
  Failpoint("launch.after_start");
  SRLM_RETURN_IF_ERROR(context.ledger.SetLaunch(row));
  SRLM_RETURN_IF_ERROR(context.ledger.Commit());
  Failpoint("launch.after_record");
  return OkStatus();
}

Status StartRecorded(const Context& context, launcher::Launcher& launcher, launcher::LaunchSpec spec) {
  const std::string program = std::filesystem::path(spec.program).filename().string();
  const auto start = [&](const std::string& name) -> Result<int64_t> {
    spec.env[launcher::kLaunchVariable] = name;
    SRLM_ASSIGN_OR_RETURN(const launcher::Launch launch, launcher.Start(spec));
    return launch.process_group;
  };
  SRLM_RETURN_IF_ERROR(StartRecorded(context, spec.id, program, start));
  return context.Event("info", context.round, "launched",
                       fmt::format("{} as {}, {} ranks", program, spec.id, spec.ranks));
}

Status RecordEnd(const Context& context, const std::string& launch_id, const std::string& reason) {
  Failpoint("launch.before_end");
  SRLM_ASSIGN_OR_RETURN(const auto row, context.ledger.Launch(launch_id));
  if (!row) return OkStatus();
  ledger::LaunchRow ended = *row;
  ended.ended_ms = WallClockMs();
  ended.end = reason;
  return context.ledger.SetLaunch(ended);
}

Result<std::vector<ledger::LaunchRow>> UnfinishedLaunches(const Context& context) {
  SRLM_ASSIGN_OR_RETURN(std::vector<ledger::LaunchRow> rows, context.ledger.OpenLaunches());
  std::erase_if(rows, [](const ledger::LaunchRow& row) { return row.host != HostName(); });
  return rows;
}

Result<bool> AdoptRecorded(const Context& context, launcher::Launcher& launcher, const ledger::LaunchRow& row) {
  SRLM_ASSIGN_OR_RETURN(const bool there, launcher.Adopt(row.launch_id, LaunchName(context, row.launch_id),
                                                         LogFolder(context, row.program, row.launch_id)));
  if (!there) {
    SRLM_RETURN_IF_ERROR(RecordEnd(context, row.launch_id, "ended while it had no coordinator"));
    return false;
  }
  SRLM_RETURN_IF_ERROR(context.Event("info", context.round, "launch_taken_over", row.launch_id + " still runs"));
  return true;
}

std::string LogFolder(const Context& context, const std::string& program, const std::string& launch_id) {
  return context.run_dir + "/logs/" + program + "/" + launch_id;
}

Status EndLeftover(const Context& context, const ledger::LaunchRow& row, double grace_s) {
  const bool there = launcher::EndLeftover(LaunchName(context, row.launch_id), grace_s);
  SRLM_RETURN_IF_ERROR(RecordEnd(context, row.launch_id, "its coordinator was gone"));
  if (!there) return OkStatus();
  return context.Event("warning", context.round, "leftover_ended",
                       fmt::format("{} still ran without its coordinator", row.launch_id));
}

Status EndLeftovers(const Context& context) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, UnfinishedLaunches(context));
  for (const ledger::LaunchRow& row : rows) SRLM_RETURN_IF_ERROR(EndLeftover(context, row, kStopGraceSeconds));
  return OkStatus();
}

Status EndAll(const Context& context, launcher::Launcher& launcher, double grace_s) {
  const std::vector<std::string> running = launcher.Running();
  for (const std::string& id : running) (void)launcher.Stop(id, Deadline::AfterSeconds(grace_s));
  const Deadline last = Deadline::AfterSeconds(grace_s + 5);
  while (!launcher.Running().empty() && !last.Expired()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::vector<std::string> left = launcher.Running();
  for (const std::string& id : running)
    if (std::ranges::find(left, id) == left.end())
      SRLM_RETURN_IF_ERROR(RecordEnd(context, id, "ended with its coordinator"));
  return context.ledger.Commit();
}

double BackoffSeconds(const config::CoordinatorConfig& config, int failures) {
  return std::min(config.relaunch_backoff_max_s,
                  config.relaunch_backoff_s * std::pow(2.0, std::clamp(failures - 1, 0, 60)));
}

std::string Explain(const launcher::LaunchStatus& status, const std::string& log_dir) {
  std::string text = status.reason.empty() ? "ended" : status.reason;
  if (status.tail.empty()) return text + "; logs: " + log_dir;
  text += "; its last lines (" + log_dir + "):";
  for (const std::string& line : status.tail) text += "\n  " + line;
  return text;
}

}  // namespace srlm::rounds
