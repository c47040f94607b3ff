#include "common/base/command.h"

#include <gtest/gtest.h>

namespace srlm {
namespace {

TEST(RunCommand, GivesWhatItPrintsAndHowItEnds) {
  const auto answer = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 3"}, Deadline::AfterSeconds(20));
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->output, "out\nerr\n");
  EXPECT_EQ(answer->exit_code, 3);
}

TEST(RunCommand, DoesNotWaitForeverNorForAChildThatKeepsTheOutput) {
  const Clock::time_point begin = Clock::now();
  EXPECT_EQ(RunCommand({"sleep", "1000"}, Deadline::AfterSeconds(0.2)).status().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(RunCommand({"sh", "-c", "exec >/dev/null 2>&1; sleep 1000"}, Deadline::AfterSeconds(0.2))->exit_code, 137);
  EXPECT_LT(SecondsSince(begin), 20);
}

TEST(RunCommand, KeepsAPartOfMuchOutput) {
  const auto answer = RunCommand({"sh", "-c", "head -c 300000 /dev/zero; exit 0"}, Deadline::AfterSeconds(20));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->output.size(), size_t{64} << 10);
  EXPECT_EQ(answer->exit_code, 0);
}

TEST(RunCommand, AProgramThatIsNotThereIsNamed) {
  const Status status = RunCommand({"no-such-program"}, Deadline::AfterSeconds(20)).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace srlm
