#include "common/base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace srlm {
namespace {

TEST(Machine, CountsTheCoresThatThisThreadIsBoundTo) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_EQ(AvailableCores(), CPU_COUNT(&all));
  std::thread([&] {  // affinity is a thread's: the others keep theirs
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
      if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(AvailableCores(), 1);
    EXPECT_EQ(ThreadsPerRank(1), 1);
  })
      .join();
}

TEST(Machine, SharesCoresOutAndGivesEachRankAtLeastOne) {
  EXPECT_EQ(ThreadsPerRank(1), AvailableCores());
  EXPECT_EQ(ThreadsPerRank(AvailableCores()), 1);
  EXPECT_EQ(ThreadsPerRank(100000), 1);
  EXPECT_EQ(ThreadsPerRank(0), AvailableCores());
}

TEST(Machine, KnowsItsMemory) {
  EXPECT_GT(PeakRssBytes(), 1 << 20);
  EXPECT_GT(AvailableMemoryBytes(), 1 << 20);
  EXPECT_LT(AvailableMemoryBytes(), int64_t{1} << 50);
}

}  // namespace
}  // namespace srlm
