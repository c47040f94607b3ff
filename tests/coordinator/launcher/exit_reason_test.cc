#include "coordinator/launcher/exit_reason.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace srlm::launcher {
namespace {

// Linux's encoding of waitpid's status: code in the second byte, signal in the first.
TEST(FromWaitStatus, CountsSignalsAsAShellDoes) {
  EXPECT_EQ(FromWaitStatus(3 << 8).code, 3);
  EXPECT_EQ(FromWaitStatus(SIGKILL).code, 137);
  EXPECT_EQ(FromWaitStatus(SIGKILL).signal, SIGKILL);
  EXPECT_TRUE(FromWaitStatus(0).ok());
}

TEST(ExplainExit, ExplainsTheCodesThatMpirunPassesOn) {
  EXPECT_NE(ExplainExit({137, 0}).find("memory"), std::string::npos);
  EXPECT_NE(ExplainExit({139, 0}).find("segmentation"), std::string::npos);
  EXPECT_NE(ExplainExit({134, 0}).find("aborted"), std::string::npos);
  EXPECT_EQ(ExplainExit({7, 0}), "exit code 7");
}

}  // namespace
}  // namespace srlm::launcher
