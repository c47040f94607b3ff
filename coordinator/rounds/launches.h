// Launched groups and their rows in the ledger.
#pragma once

#include <functional>
#include <string>

#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// How long a group has after TERM before it is killed.
inline constexpr double kStopGraceSeconds = 10;

/// Starts a group and records it. Before it is started the ledger has it on disk, and each of its processes has the
/// launch's name in its environment (launcher/session.h): a successor finds what a coordinator left, whenever it died.
Status StartRecorded(const Context& context, launcher::Launcher& launcher, launcher::LaunchSpec spec);

/// The same for a process that no launcher starts: `start` is given the launch's name, which belongs into its
/// environment, and gives its process id.
Status StartRecorded(const Context& context, const std::string& launch_id, const std::string& program,
                     const std::function<Result<int64_t>(const std::string& name)>& start);

/// Notes the end of a recorded group: `reason` in a word or two.
Status RecordEnd(const Context& context, const std::string& launch_id, const std::string& reason);

/// Launches on this host whose end is not recorded: at a coordinator's start, what an earlier one may have left.
Result<std::vector<ledger::LaunchRow>> UnfinishedLaunches(const Context& context);

/// Takes over a recorded group. False when nothing of it is there (any more): then its end is recorded.
Result<bool> AdoptRecorded(const Context& context, launcher::Launcher& launcher, const ledger::LaunchRow& row);

/// Ends what is left of a recorded group of an earlier coordinator, and notes that.
Status EndLeftover(const Context& context, const ledger::LaunchRow& row, double grace_s);

/// Ends groups on this host that an earlier coordinator of this run left behind, and waits for that: for a coordinator
/// that has no launcher to adopt them.
Status EndLeftovers(const Context& context);

/// Folder of a launch's logs.
std::string LogFolder(const Context& context, const std::string& program, const std::string& launch_id);

/// Asks every group to end, kills those that still run after the grace, and waits until all are gone, at most 5 s
/// longer than the grace; notes their ends.
Status EndAll(const Context& context, launcher::Launcher& launcher, double grace_s);

/// Seconds before start number `failures` + 1 of something that failed so often: doubles, up to the limit.
double BackoffSeconds(const config::CoordinatorConfig& config, int failures);

/// The reason of an ended group and the last lines that it wrote, for a message.
std::string Explain(const launcher::LaunchStatus& status, const std::string& log_dir);

}  // namespace srlm::rounds
