// How long a rank has waited for the others, as its deadline counts it.
#pragma once

#include "common/base/clock.h"
#include "common/parallel/rank_board.h"

namespace srlm::parallel {

/// Time in which another rank is heard to be busy alone (AloneWork) does not count, until the wait takes
/// kLongestExcuse times its deadline; what follows its last word counts when it falls silent. Nor does time in which
/// this rank itself stood still: after a machine was suspended with all its ranks nobody is late.
class WaitClock {
 public:
  static constexpr double kLongestExcuse = 10;

  /// `board` may be null: nobody is excused.
  WaitClock(const RankBoard* board, double timeout_s, Clock::time_point now = Clock::now())
      : board_(board), timeout_s_(timeout_s), begin_(now), last_(now) {}

  /// Whether the wait has reached its deadline. Call it often.
  bool Expired(Clock::time_point now = Clock::now());
  /// Whether half of the deadline is over; true once.
  bool HalfExpired();
  /// Seconds since the begin.
  double waited_s() const { return SecondsBetween(begin_, last_); }
  /// Seconds of them in which this rank did not run.
  double stood_still_s() const { return stood_still_s_; }

 private:
  const RankBoard* board_;
  const double timeout_s_;
  const Clock::time_point begin_;
  Clock::time_point last_;
  double counted_s_ = 0;
  double stood_still_s_ = 0;
  double excused_s_ = 0;  // since the busy rank was heard: it may turn out to be silent
  bool half_said_ = false;
};

}  // namespace srlm::parallel
