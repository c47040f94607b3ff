// What the commands print, and how they end.
#pragma once

#include <string_view>

#include "common/base/status.h"

namespace srlm::cli {

/// Exit codes of srlm.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // failed, or a run that is paused; stderr says why
inline constexpr int kExitUsage = 2;   // called wrongly

/// Writes to stdout. Cancelled when nobody reads it any more, as with `| head`; ResourceExhausted or InvalidArgument
/// when it cannot be written, as on a full disk.
[[nodiscard]] Status Print(std::string_view text);

/// How a command ends that printed: quietly when nobody reads any more, else as Fail.
int Finish(const Status& status);

/// `srlm: message` on stderr; gives kExitFailed.
int Fail(const Status& status);

}  // namespace srlm::cli
