#include "common/parallel/wait_clock.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace srlm::parallel {
namespace {

constexpr double kSecondsBetweenLooks = 0.02;
constexpr double kStoodStillSeconds = 1;  // between two looks: this rank did not run

}  // namespace

bool WaitClock::Expired(Clock::time_point now) {
  const double since_last_s = SecondsBetween(last_, now);
  if (since_last_s < std::min(kSecondsBetweenLooks, timeout_s_ / 4)) return counted_s_ >= timeout_s_;
  last_ = now;
  std::optional<double> busy_age_s;
  if (board_ != nullptr && waited_s() < kLongestExcuse * timeout_s_) busy_age_s = board_->AnotherIsBusyAlone();
  if (since_last_s >= kStoodStillSeconds) {
    stood_still_s_ += since_last_s;
    return counted_s_ >= timeout_s_;
  }
  excused_s_ += since_last_s;
  if (busy_age_s) {
    excused_s_ = std::min(excused_s_, *busy_age_s);
  } else {
    counted_s_ += std::exchange(excused_s_, 0);
  }
  return counted_s_ >= timeout_s_;
}

bool WaitClock::HalfExpired() {
  if (half_said_ || counted_s_ < timeout_s_ / 2) return false;
  return half_said_ = true;
}

}  // namespace srlm::parallel
