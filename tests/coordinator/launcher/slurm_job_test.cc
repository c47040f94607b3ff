#include "coordinator/launcher/slurm_job.h"

#include <gtest/gtest.h>

#include "coordinator/launcher/slurm_clock.h"
#include "coordinator/launcher/slurm_steps.h"

namespace srlm::launcher {
namespace {

TEST(SlurmJob, OutsideOfAJobItSaysHowToSubmitOne) {
  const auto job = ThisSlurmJob([](const std::string&) { return std::nullopt; });
  ASSERT_EQ(job.status().code(), Code::kFailedPrecondition);
  EXPECT_NE(job.status().message().find("sbatch deploy/slurm/srlm.sbatch CONFIG"), std::string::npos)
      << job.status().message();
}

TEST(SlurmJob, CpusAreReadAsSlurmWritesThem) {
  EXPECT_EQ(*ParseCpus("2(x3),4"), (std::vector<int>{2, 2, 2, 4}));
  EXPECT_EQ(*ParseCpus("128"), std::vector<int>{128});
  for (const char* wrong : {"", "x", "2(x", "2(x0)", "2(x3", "0", "2,", "2;3", "-2"})
    EXPECT_EQ(ParseCpus(wrong).status().code(), Code::kInvalidArgument) << wrong;
}

TEST(SlurmJob, TheTimeLeftIsUntilTheLimitOrAnEarlierEnd) {
  constexpr int64_t kNowMs = 1'000'000'000'000;
  EXPECT_EQ(ParseTimeLeft("1-02:03:04 1000999999", kNowMs), 93784);
  EXPECT_EQ(ParseTimeLeft("3:04 1000000060", kNowMs), 60);  // it is to make room for another
  EXPECT_EQ(ParseTimeLeft("3:04 999999990", kNowMs), 0);
  EXPECT_EQ(ParseTimeLeft("0:00 1000000060", kNowMs), 0);
  EXPECT_EQ(ParseTimeLeft("10:00:00 N/A", kNowMs), 36000);
  for (const char* none : {"UNLIMITED 1000000060", "INVALID", "", "NOT_SET", "3:60", "3:04x"})
    EXPECT_EQ(ParseTimeLeft(none, kNowMs), std::nullopt) << none;
}

TEST(SlurmJob, StepsAreARunsByTheirNames) {
  EXPECT_EQ(StepName("0123abcd/worker-2-1"), "worker-2-1@0123abcd");
  const auto steps = ParseSteps(
      "12.0 worker-2-1@0123abcd\n12.batch batch\n13_4.1 sft-1-1@0123abcd\n14.0 a@another\n15.0 a b\n", "0123abcd");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id, "12.0");
  EXPECT_EQ(steps[1].id, "13_4.1");
}

TEST(SlurmJob, AShortJobWorksForHalfOfItsTime) {
  EXPECT_EQ(MarginsOf(300, 86400).ending_s, 300);
  EXPECT_EQ(MarginsOf(300, 86400).over_s, 75);
  EXPECT_EQ(MarginsOf(300, 60).ending_s, 30);
  EXPECT_EQ(MarginsOf(300, 60).over_s, 15);
  EXPECT_EQ(MarginsOf(60, 86400).over_s, 20);
}

TEST(SlurmJob, AJobThatIsTooSmallIsRefusedWithWhatItLacks) {
  const SlurmJob job = {.id = "12", .restarts = 0, .nodes = {"n1", "n2"}, .cpus = {4, 3}};
  config::RunConfig config;
  config.workers.replicas = 7;
  config.trainer.ranks = 3;
  config.trainer.threads = 2;
  EXPECT_TRUE(CheckFits(job, config).ok());
  config.trainer.ranks = 4;
  const Status small = CheckFits(job, config);
  EXPECT_EQ(small.code(), Code::kFailedPrecondition);
  EXPECT_NE(small.message().find("trainer.ranks: 4 need 2 CPUs each, and its 2 node(s) have 4, 3 CPUs"),
            std::string::npos)
      << small.message();
  config.trainer.ranks = 1;
  config.workers.replicas = 8;
  EXPECT_NE(CheckFits(job, config).message().find("workers.replicas: 8"), std::string::npos);
}

}  // namespace
}  // namespace srlm::launcher
