// Time for waits (monotonic) and for people (wall clock).
#pragma once

#include <chrono>
#include <cstdint>

namespace srlm {

using Clock = std::chrono::steady_clock;

/// A point on the monotonic clock after which a wait has failed.
class Deadline {
 public:
  static Deadline After(std::chrono::nanoseconds span) { return Deadline(Clock::now() + span); }
  static Deadline AfterSeconds(double seconds) {
    return After(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  }
  bool Expired() const { return Clock::now() >= at_; }
  Clock::time_point at() const { return at_; }
  std::chrono::nanoseconds Left() const {
    const auto left = at_ - Clock::now();
    return left.count() > 0 ? left : std::chrono::nanoseconds(0);
  }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

/// Seconds between two points of the monotonic clock.
inline double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}
inline double SecondsSince(Clock::time_point begin) { return SecondsBetween(begin, Clock::now()); }

/// Milliseconds since 1970 (UTC), for records that people read.
inline int64_t WallClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace srlm
