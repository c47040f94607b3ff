// A deadline for calls that have none of their own, such as MPI's begin and end.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "common/parallel/rank_board.h"

namespace srlm::parallel {

/// While it lives, the call around it may take so long. After that it says on stderr which call hung and ends the
/// process with exit code 1, at once: nothing in order is possible from inside a library that does not return.
class Watchdog {
 public:
  /// With `board`, which outlives it, time in which another rank is busy alone does not count (wait_clock.h), and the
  /// message says which ranks are behind.
  Watchdog(std::string call, double seconds, const RankBoard* board = nullptr);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool returned_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace srlm::parallel
