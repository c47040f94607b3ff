#include "common/parallel/wait_clock.h"

#include <algorithm>

namespace srlm::parallel {
namespace {

constexpr double kSecondsBetweenLooks = 0.02;
constexpr double kStoodStillSeconds = 1;  // between two looks: this rank did not run

}  // namespace

bool WaitClock::Expired(Clock::time_point now) {
  const double since_last_s = SecondsBetween(last_, now);
  if (since_last_s < std::min(kSecondsBetweenLooks, timeout_s_ / 4)) return counted_s_ >= timeout_s_;
  last_ = now;
  const bool excused = board_ != nullptr && waited_s() < kLongestExcuse * timeout_s_ && board_->AnotherIsBusyAlone();
  const bool ran = since_last_s < kStoodStillSeconds;
  if (!ran) stood_still_s_ += since_last_s;
  if (ran && !excused) counted_s_ += since_last_s;
  return counted_s_ >= timeout_s_;
}

bool WaitClock::HalfExpired() {
  if (half_said_ || counted_s_ < timeout_s_ / 2) return false;
  return half_said_ = true;
}

}  // namespace srlm::parallel
