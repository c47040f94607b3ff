#include "common/parallel/wait_clock.h"

#include <gtest/gtest.h>

namespace srlm::parallel {
namespace {

constexpr double kDeadline = 10;

/// Looks ten times a second, as the clock's time goes. Seconds until the deadline; -1: not within `longest_s`.
double Wait(RankBoard& board, double longest_s, double alone_until_s = 0) {
  const Clock::time_point begin = Clock::now();
  WaitClock clock(&board, kDeadline, begin);
  for (int tenth = 1; tenth <= static_cast<int>(longest_s * 10); ++tenth) {
    const double at_s = tenth / 10.0;
    board.Hear({.rank = 0,
                .host = "a",
                .pid = 1,
                .doing = at_s <= alone_until_s ? Doing::kAlone : Doing::kWaiting,
                .what = "writing a checkpoint",
                .phase = "",
                .operations = 1});
    if (clock.Expired(begin + std::chrono::milliseconds(100 * tenth))) return at_s;
  }
  return -1;
}

TEST(WaitClock, EndsAtTheDeadline) {
  RankBoard board(1, 2);
  EXPECT_NEAR(Wait(board, 20), kDeadline, 0.11);
}

TEST(WaitClock, StandsStillWhileAnotherRankIsBusyAlone) {
  RankBoard board(1, 2);
  EXPECT_NEAR(Wait(board, 60, 35), 35 + kDeadline, 0.31);
}

TEST(WaitClock, WhatFollowsTheLastWordOfASilentRankCounts) {
  RankBoard board(1, 2);
  RankState busy = {.rank = 0, .host = "a", .pid = 1, .doing = Doing::kAlone, .what = "", .phase = ""};
  busy.age_s = kSilentSeconds - 0.3;
  board.Hear(busy);
  const Clock::time_point begin = Clock::now();
  WaitClock clock(&board, kDeadline, begin);
  int tenth = 1;
  for (; tenth <= 12; ++tenth) EXPECT_FALSE(clock.Expired(begin + std::chrono::milliseconds(100 * tenth)));
  const Deadline silent = Deadline::AfterSeconds(5);
  while (board.AnotherIsBusyAlone()) ASSERT_FALSE(silent.Expired());
  while (!clock.Expired(begin + std::chrono::milliseconds(100 * tenth))) ASSERT_LT(++tenth, 200);
  EXPECT_NEAR(tenth / 10.0, kDeadline, 0.21);
}

TEST(WaitClock, NobodyIsExcusedForEver) {
  RankBoard board(1, 2);
  EXPECT_NEAR(Wait(board, 200, 1e9), (WaitClock::kLongestExcuse + 1) * kDeadline, 0.31);
}

TEST(WaitClock, CountsNoTimeInWhichThisRankDidNotRun) {
  const Clock::time_point begin = Clock::now();
  WaitClock clock(nullptr, kDeadline, begin);
  EXPECT_FALSE(clock.Expired(begin + std::chrono::seconds(1000)));
  EXPECT_EQ(clock.stood_still_s(), 1000);
  EXPECT_FALSE(clock.HalfExpired());
  for (int tenth = 0; tenth < 99; ++tenth) {
    EXPECT_FALSE(clock.Expired(begin + std::chrono::milliseconds(1000000 + 100 * tenth))) << tenth;
  }
  EXPECT_TRUE(clock.HalfExpired());
  EXPECT_FALSE(clock.HalfExpired()) << "it is said once";
  EXPECT_TRUE(clock.Expired(begin + std::chrono::milliseconds(1010010)));
}

}  // namespace
}  // namespace srlm::parallel
