#include "coordinator/launcher/process_group.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/launcher/session.h"
#include "tests/coordinator/launcher/await_text.h"

namespace srlm::launcher {
namespace {

class ProcessGroupTest : public ::testing::Test {
 protected:
  ProcessGroup Start(const std::vector<std::string>& arguments, Environment environment = {}) {
    ProcessSpec spec{.command = {LAUNCHER_CHILD}, .environment = std::move(environment), .output = output_};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    auto started = ProcessGroup::Start(spec);
    SRLM_CHECK(started.ok(), started.status().message());
    return std::move(*started);
  }
  std::string Output() const { return *ReadFile(output_); }

  const std::string run_ = "run-" + std::to_string(getpid());  // no other test's processes are to be found
  TemporaryFolder folder_;
  std::string output_ = folder_.path() + "/output.log";
};

const Deadline Soon() { return Deadline::AfterSeconds(20); }

TEST_F(ProcessGroupTest, GivesTheExitCode) {
  ProcessGroup group = Start({"exit", "7"});
  const auto exit = group.Wait(Soon());
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 7);
  EXPECT_EQ(group.Poll()->code, 7);  // and again
}

TEST_F(ProcessGroupTest, GivesTheSignal) {
  ProcessGroup group = Start({"signal", std::to_string(SIGABRT)});
  const auto exit = group.Wait(Soon());
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 134);
  EXPECT_EQ(exit->signal, SIGABRT);
}

TEST_F(ProcessGroupTest, LeavesNoZombie) {
  ProcessGroup group = Start({"exit", "0"});
  ASSERT_TRUE(group.Wait(Soon()).has_value());
  EXPECT_FALSE(ReadProcess(group.pid()).has_value());
}

TEST_F(ProcessGroupTest, PollDoesNotWait) {
  ProcessGroup group = Start({"wait"});
  EXPECT_FALSE(group.Poll().has_value());
}

TEST_F(ProcessGroupTest, InheritsOnlyTheGivenEnvironment) {
  setenv("SRLM_TEST_PARENT", "1", 1);
  ProcessGroup group = Start({"env"}, {{"ONE", "1 2"}});
  ASSERT_TRUE(group.Wait(Soon()).has_value());
  EXPECT_EQ(Output(), "ONE=1 2\n");
}

TEST_F(ProcessGroupTest, StartsInANewSessionWithCleanSignalsAndDescriptors) {
  const int descriptor = open("/dev/null", O_RDONLY);  // without O_CLOEXEC: would be inherited
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  signal(SIGPIPE, SIG_IGN);
  ProcessGroup group = Start({"state"});
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(descriptor);
  ASSERT_TRUE(group.Wait(Soon()).has_value());
  EXPECT_EQ(Output(), "leader=1\nstdin_bytes=0\n");
}

TEST_F(ProcessGroupTest, TerminateEndsAGroupThatListens) {
  ProcessGroup group = Start({"wait"});
  AwaitText(output_, "ready");
  group.Terminate();
  const auto exit = group.Wait(Soon());
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGTERM);
}

TEST_F(ProcessGroupTest, KillEndsADeafGroup) {
  ProcessGroup group = Start({"deaf"});
  AwaitText(output_, "ready");
  group.Terminate();
  EXPECT_FALSE(group.Poll().has_value());
  group.Kill();
  const auto exit = group.Wait(Soon());
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGKILL);
}

TEST_F(ProcessGroupTest, RanksInTheirOwnProcessGroupsEndWithTheirLeader) {
  ProcessGroup group = Start({"family"});
  AwaitText(output_, "ready");
  ASSERT_EQ(SessionMembers(group.pid()).size(), 2U);
  kill(group.pid(), SIGKILL);  // the leader alone, as the system does when memory runs out
  ASSERT_TRUE(group.Wait(Soon()).has_value());
  const Deadline deadline = Soon();
  while (!SessionMembers(group.pid()).empty() && !deadline.Expired()) sched_yield();
  EXPECT_TRUE(SessionMembers(group.pid()).empty());
}

TEST_F(ProcessGroupTest, TheDestructorKillsTheWholeGroup) {
  pid_t pid = 0;
  {
    ProcessGroup group = Start({"family"});
    AwaitText(output_, "ready");
    pid = group.pid();
  }
  EXPECT_FALSE(ReadProcess(pid).has_value());
  const Deadline deadline = Soon();
  while (!SessionMembers(pid).empty() && !deadline.Expired()) sched_yield();
  EXPECT_TRUE(SessionMembers(pid).empty());
}

TEST_F(ProcessGroupTest, SaysWhichProgramIsMissing) {
  const auto started = ProcessGroup::Start({{"/nonexistent/mpirun"}, {}, output_});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.status().code(), Code::kNotFound);
  EXPECT_NE(started.status().message().find("/nonexistent/mpirun"), std::string::npos);
}

TEST_F(ProcessGroupTest, SaysWhenTheOutputCannotBeWritten) {
  const auto started = ProcessGroup::Start({{LAUNCHER_CHILD}, {}, folder_.path() + "/none/output.log"});
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.status().message().find("none/output.log"), std::string::npos);
}

TEST_F(ProcessGroupTest, LeftoversOfADeadCoordinatorAreEnded) {
  ProcessGroup group = Start({"family"}, {{kLaunchVariable, run_ + "/worker-1-1"}});
  AwaitText(output_, "ready");
  EXPECT_FALSE(EndLeftover(run_ + "/worker-1-10", 5)) << "another launch";
  EXPECT_FALSE(EndLeftover("other-" + run_ + "/worker-1-1", 5)) << "the same launch of another run";
  EXPECT_EQ(SessionMembers(group.pid()).size(), 2U);
  EXPECT_TRUE(EndLeftover(run_ + "/worker-1-1", 10));
  EXPECT_TRUE(SessionMembers(group.pid()).empty());
  EXPECT_EQ(group.Wait(Soon())->signal, SIGTERM);
  EXPECT_FALSE(EndLeftover(run_ + "/worker-1-1", 5));
}

TEST_F(ProcessGroupTest, ARankThatOutlivedItsMpirunIsFoundAndEnded) {
  ProcessGroup group = Start({"family"}, {{kLaunchVariable, run_ + "/worker-1-2"}});
  AwaitText(output_, "ready");
  kill(group.pid(), SIGKILL);  // not reaped yet, so its child lives on
  const Deadline deadline = Soon();
  while (LaunchMembers(run_ + "/worker-1-2").size() > 1 && !deadline.Expired()) sched_yield();
  EXPECT_TRUE(EndLeftover(run_ + "/worker-1-2", 10));
  EXPECT_TRUE(LaunchMembers(run_ + "/worker-1-2").empty());
}

/// Starts a group and dies without ending it, as a coordinator that is killed does. Its children become ours to adopt.
void StartAndDie(const std::string& launch, const std::string& command, const std::string& output) {
  const pid_t coordinator = fork();
  if (coordinator == 0) {
    const auto started = ProcessGroup::Start(
        {.command = {LAUNCHER_CHILD, command}, .environment = {{kLaunchVariable, launch}}, .output = output});
    _exit(started.ok() ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(coordinator, &status, 0), coordinator);
  ASSERT_EQ(status, 0);
  AwaitText(output, "ready");
}

void AwaitNone(const std::string& launch) {
  const Deadline deadline = Soon();
  while (!LaunchMembers(launch).empty() && !deadline.Expired()) sched_yield();
  EXPECT_TRUE(LaunchMembers(launch).empty());
}

TEST_F(ProcessGroupTest, AGroupOfADeadCoordinatorIsAdoptedAndWatched) {
  const std::string launch = folder_.path() + "/a";  // a name of its own
  StartAndDie(launch, "family", output_);
  auto group = ProcessGroup::Adopt(launch);
  ASSERT_TRUE(group.has_value());
  EXPECT_FALSE(group->Poll().has_value());
  EXPECT_EQ(LaunchMembers(launch).size(), 2U);
  group->Terminate();
  const auto exit = group->Wait(Soon());
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, -1);
  AwaitNone(launch);  // the member that was not asked, too
}

TEST_F(ProcessGroupTest, AnAdoptedGroupThatDoesNotListenIsKilled) {
  const std::string launch = folder_.path() + "/a";
  StartAndDie(launch, "deaf", output_);
  auto group = ProcessGroup::Adopt(launch);
  ASSERT_TRUE(group.has_value());
  group->Kill();
  EXPECT_TRUE(group->Wait(Soon()).has_value());
  AwaitNone(launch);
}

TEST_F(ProcessGroupTest, RanksWithoutTheirLeaderAreNotAdoptedButKilled) {
  const std::string launch = folder_.path() + "/a";
  StartAndDie(launch, "family", output_);
  for (const ProcessEntry& member : LaunchMembers(launch))
    if (member.pid == member.session) kill(member.pid, SIGKILL);
  const Deadline deadline = Soon();
  while (LaunchMembers(launch).size() > 1 && !deadline.Expired()) sched_yield();
  EXPECT_FALSE(ProcessGroup::Adopt(launch).has_value());
  AwaitNone(launch);
  EXPECT_FALSE(ProcessGroup::Adopt(launch).has_value());
}

}  // namespace
}  // namespace srlm::launcher
