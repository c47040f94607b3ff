// Ctrl-C and kill as something to wait for, instead of something that interrupts.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace srlm::cli {

/// SIGINT, SIGTERM, SIGHUP and SIGUSR1 (a scheduler's notice) of this process, from construction on. Made before any
/// thread starts: threads inherit that these signals are blocked.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Waits until a signal came or `other` (a descriptor) is readable, or the deadline. The signal's number; 0 when
  /// none came.
  int Wait(int other, const Deadline& deadline);

 private:
  int descriptor_ = -1;
};

}  // namespace srlm::cli
