#include "common/parallel/watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace srlm::parallel {
namespace {

TEST(Watchdog, LeavesACallAloneThatReturnsInTime) { const Watchdog watchdog("a call", 60); }

TEST(WatchdogDeathTest, EndsTheProcessAndNamesTheCall) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const Watchdog watchdog("MPI_Init", 0.05);
        while (true) pause();
      },
      testing::ExitedWithCode(1), "MPI_Init did not return within 0.05 s");
}

}  // namespace
}  // namespace srlm::parallel
