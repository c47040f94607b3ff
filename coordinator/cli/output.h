// What the commands print, and how they end.
#pragma once

#include <string_view>

#include "common/base/status.h"

namespace srlm::cli {

/// Exit codes of srlm.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // failed, or a run that is paused; stderr says why
inline constexpr int kExitUsage = 2;   // called wrongly

/// Writes to stdout. False when nobody reads it any more, as with `| head`: the caller then ends quietly.
bool Print(std::string_view text);

/// `srlm: message` on stderr; gives kExitFailed.
int Fail(const Status& status);

}  // namespace srlm::cli
