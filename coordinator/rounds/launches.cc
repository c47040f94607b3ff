#include "coordinator/rounds/launches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "coordinator/launcher/session.h"
#include "coordinator/ledger/owner.h"

namespace srlm::rounds {

Status StartRecorded(const Context& context, launcher::Launcher& launcher, const launcher::LaunchSpec& spec) {
  const std::string program = std::filesystem::path(spec.program).filename().string();
  ledger::LaunchRow row = {spec.id, program, context.epoch, ledger::ThisProcess().host, 0, WallClockMs(), 0, ""};
  Failpoint("launch.before_record");
  SRLM_RETURN_IF_ERROR(context.ledger.SetLaunch(row));
  SRLM_RETURN_IF_ERROR(context.ledger.Commit());
  Failpoint("launch.before_start");
  const Result<launcher::Launch> launch = launcher.Start(spec);
  if (!launch.ok()) {
    SRLM_RETURN_IF_ERROR(RecordEnd(context, spec.id, "it could not be started"));
    return launch.status();
  }
  Failpoint("launch.after_start");
  row.process_group = launch->process_group;
  SRLM_RETURN_IF_ERROR(context.ledger.SetLaunch(row));
  SRLM_RETURN_IF_ERROR(context.ledger.Commit());
  Failpoint("launch.after_record");
  return context.Event("info", 0, "launched", fmt::format("{} as {}, {} ranks", program, spec.id, spec.ranks));
}

Status RecordEnd(const Context& context, const std::string& launch_id, const std::string& reason) {
  Failpoint("launch.before_end");
  SRLM_ASSIGN_OR_RETURN(const auto rows, context.ledger.Launches());
  const auto row = std::ranges::find(rows, launch_id, &ledger::LaunchRow::launch_id);
  if (row == rows.end()) return OkStatus();
  ledger::LaunchRow ended = *row;
  ended.ended_ms = WallClockMs();
  ended.end = reason;
  return context.ledger.SetLaunch(ended);
}

Status EndLeftovers(const Context& context) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, context.ledger.Launches());
  const std::string host = ledger::ThisProcess().host;
  for (const ledger::LaunchRow& row : rows) {
    if (!row.end.empty() || row.host != host) continue;
    const bool there =
        row.process_group > 0 && launcher::EndLeftover(row.process_group, row.started_ms, kStopGraceSeconds);
    SRLM_RETURN_IF_ERROR(RecordEnd(context, row.launch_id, "its coordinator was gone"));
    if (there)
      SRLM_RETURN_IF_ERROR(context.Event("warning", 0, "leftover_ended",
                                         fmt::format("{} still ran without its coordinator", row.launch_id)));
  }
  return OkStatus();
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
