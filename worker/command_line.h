// The command line of srlm-worker: what is asked, and what is asked wrongly.
#pragma once

#include <variant>

#include "worker/commands/options.h"
#include "worker/roles/replica.h"

namespace srlm::worker {

using Command = std::variant<GenerateOptions, JudgeOptions, LogprobsOptions, DevicesOptions, ReplicaOptions>;

/// What the commands on files share, of one of them.
const FileOptions& FileOptionsOf(const Command& command);

/// Exit codes of srlm-worker.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// A command, or the exit code of a command line that ends here: 0 after --help and --version, 2 after printing to
/// stderr what is wrong.
std::variant<Command, int> ParseCommandLine(int argc, const char* const* argv);

}  // namespace srlm::worker
