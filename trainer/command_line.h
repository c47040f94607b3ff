// srlm-trainer's arguments.
#pragma once

#include <string>
#include <variant>

#include "trainer/job/options.h"

namespace srlm::trainer {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitStopped = 75;  // in order, with a checkpoint to go on from (sysexits.h: EX_TEMPFAIL)

/// Why nothing is run: help or the version was asked for (code 0, text for stdout), or the usage is wrong (code 2, text
/// for stderr).
struct NotRun {
  int exit_code = kExitUsage;
  std::string text;
};

std::variant<TrainerOptions, NotRun> ParseCommandLine(int argc, const char* const* argv);

}  // namespace srlm::trainer
