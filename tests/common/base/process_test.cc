#include "common/base/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace srlm {
namespace {

bool IsListed(pid_t pid) {
  const auto living = LivingProcesses();
  return std::ranges::find(living, pid, &ProcessEntry::pid) != living.end();
}

TEST(Process, ThisOneIsAliveAndListed) {
  const auto self = ReadProcess(getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_TRUE(self->alive());
  EXPECT_GT(self->start_ticks, 0u);
  EXPECT_EQ(self->session, getsid(0));
  EXPECT_TRUE(IsListed(getpid()));
}

TEST(Process, AZombieHasEnded) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);  // ended, and not reaped
  const auto zombie = ReadProcess(child);
  ASSERT_TRUE(zombie.has_value());
  EXPECT_FALSE(zombie->alive());
  EXPECT_FALSE(IsListed(child));
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(ReadProcess(child).has_value());
}

TEST(Process, KnowsTheEnvironmentThatAProcessWasStartedWith) {
  ASSERT_NE(std::getenv("PATH"), nullptr);
  const std::string path = std::string("PATH=") + std::getenv("PATH");
  EXPECT_TRUE(HasInEnvironment(getpid(), path));
  EXPECT_FALSE(HasInEnvironment(getpid(), path + "x"));
  EXPECT_FALSE(HasInEnvironment(getpid(), path.substr(0, path.size() - 1)));
}

}  // namespace
}  // namespace srlm
