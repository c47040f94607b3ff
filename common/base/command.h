// A short command of the system, run to its end.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace srlm {

struct CommandAnswer {
  int exit_code = 0;
  std::string output;  // stdout and stderr, at most 64 KiB
};

/// Runs `command` (the first word is looked up in PATH) with nothing to read. NotFound when there is no such program;
/// DeadlineExceeded when it has not ended by then: it is killed.
Result<CommandAnswer> RunCommand(const std::vector<std::string>& command, const Deadline& deadline);

}  // namespace srlm
