// Real processes under the coordinator: workers that never join, that are asked to end, that a dead coordinator left.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/base/file.h"
#include "coordinator/launcher/session.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

class GroupsTest : public RunFilesTest {
 protected:
  void SetUp() override {
    RunFilesTest::SetUp();
    auto first = Coordinator::Create(Config({"run.iterations=0"}), RunDir(), FastOptions(groups_));
    ASSERT_TRUE(first.ok()) << first.status().message();
    ASSERT_TRUE((*first)->Run().ok());
    first->reset();
    run_id_ = *Ledger()->Fact("run_id");
  }
  // A coordinator whose srlm-worker is this shell script.
  std::unique_ptr<Coordinator> Create(const std::string& script, std::vector<std::string> more) {
    const std::string path = folder_ + "/srlm-worker";
    EXPECT_TRUE(WriteFileAtomic(path, "#!/bin/sh\n" + script).ok());
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    more.push_back("launcher.command=env RANKS={ranks} {program}");
    const config::RunConfig config = Config(more);
    CoordinatorOptions options;
    options.program_folder = folder_;
    options.launcher = *launcher::MakeLocalLauncher(config.launcher);
    auto created = Coordinator::Create(config, RunDir(), std::move(options));
    EXPECT_TRUE(created.ok()) << created.status().message();
    return std::move(*created);
  }
  std::unique_ptr<ledger::Ledger> Ledger() { return *ledger::Ledger::OpenReadOnly(RunDir()); }
  bool IsThere(const std::string& name) { return std::filesystem::exists(folder_ + "/" + name); }
  void AwaitFile(const std::string& name) {
    const Deadline deadline = Deadline::AfterSeconds(30);
    while (!IsThere(name) && !deadline.Expired()) sched_yield();
    ASSERT_TRUE(IsThere(name));
  }
  std::vector<std::string> Events(const std::string& event) {
    std::vector<std::string> messages;
    const std::vector<ledger::EventRow> rows = *Ledger()->Events(0, 0, 1000);
    for (const auto& row : rows)
      if (row.event == event) messages.push_back(row.message);
    return messages;
  }
  // Living processes of a launch of this run.
  size_t Members(const std::string& launch) { return launcher::LaunchMembers(run_id_ + "/" + launch).size(); }

  FakeGroups groups_;
  std::string run_id_;
};

TEST_F(GroupsTest, AWorkerThatNeverJoinsIsEndedAndStartedAgain) {
  auto coordinator = Create("echo once >> " + folder_ + "/started\n[ $(wc -l < " + folder_ +
                                "/started) -gt 1 ] && touch " + folder_ + "/again\nexec sleep 1000\n",
                            {"launcher.register_timeout_s=1"});
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  AwaitFile("again");
  coordinator->Stop();
  work.join();
  coordinator.reset();
  const auto hangs = Events("worker_late");
  ASSERT_FALSE(hangs.empty());
  EXPECT_NE(hangs[0].find("worker-2-1"), std::string::npos) << hangs[0];
  EXPECT_NE(hangs[0].find("did not register"), std::string::npos) << hangs[0];
  EXPECT_EQ(Members("worker-2-1"), 0u);
  EXPECT_EQ(Members("worker-2-2"), 0u);
}

TEST_F(GroupsTest, AStoppedRunAsksItsGroupsToEndAndWaitsForThem) {
  auto coordinator = Create(
      "trap 'touch " + folder_ + "/asked; exit 0' TERM\ntouch " + folder_ + "/started\nwhile :; do sleep 0.05; done\n",
      {});
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  AwaitFile("started");
  coordinator->Stop();
  work.join();
  EXPECT_TRUE(IsThere("asked"));
  EXPECT_EQ(coordinator->Status().state(), "stopped");
  coordinator.reset();
  EXPECT_EQ(Members("worker-2-1"), 0u);
  const std::vector<ledger::LaunchRow> launches = *Ledger()->Launches();
  for (const auto& launch : launches) EXPECT_FALSE(launch.end.empty()) << launch.launch_id;
}

TEST_F(GroupsTest, AStopThatIsSaidTwiceDoesNotWaitForADeafGroup) {
  auto coordinator = Create("trap '' TERM\ntouch " + folder_ + "/started\nwhile :; do sleep 0.05; done\n", {});
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  AwaitFile("started");
  const Clock::time_point begin = Clock::now();
  coordinator->Stop();
  coordinator->Stop();
  work.join();
  EXPECT_LT(SecondsSince(begin), 8);
  EXPECT_EQ(Members("worker-2-1"), 0u);
  coordinator.reset();
  EXPECT_TRUE(Ledger()->OpenLaunches()->empty());  // that it was killed is noted
}

// What a coordinator leaves that died between recording a launch and noting its process group.
class LeftoverTest : public GroupsTest {
 protected:
  void SetUp() override {
    GroupsTest::SetUp();
    const auto ledger = *ledger::Ledger::Open(RunDir());
    ASSERT_TRUE(ledger->SetLaunch({"worker-1-7", "srlm-worker", 1, HostName(), 0, 1, 0, ""}).ok());
    ASSERT_TRUE(ledger->Commit().ok());
  }
  void TearDown() override {
    if (left_ > 0) kill(left_, SIGKILL);
    GroupsTest::TearDown();
  }
  void Leave(bool with_leader) {
    const std::string launch = std::string(launcher::kLaunchVariable) + "=" + run_id_ + "/worker-1-7";
    left_ = fork();
    if (left_ == 0) {
      if (with_leader) setsid();
      execlp("env", "env", launch.c_str(), "sleep", "1000", nullptr);
    }
    const Deadline deadline = Deadline::AfterSeconds(20);
    while (Members("worker-1-7") == 0 && !deadline.Expired()) sched_yield();
    ASSERT_EQ(Members("worker-1-7"), 1u);
  }
  pid_t left_ = 0;
};

TEST_F(LeftoverTest, RanksWithoutTheirMpirunAreKilledAtOnce) {
  Leave(false);
  const pid_t left = std::exchange(left_, 0);
  {
    auto coordinator = Create("exit 0\n", {});
  }
  int status = 0;
  ASSERT_EQ(waitpid(left, &status, 0), left);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(Events("launch_taken_over").empty());
  const std::vector<ledger::LaunchRow> launches = *Ledger()->Launches();
  for (const auto& launch : launches) EXPECT_FALSE(launch.end.empty()) << launch.launch_id;
}

TEST_F(LeftoverTest, AGroupIsTakenOverAndReplacedWhenItDoesNotCall) {
  Leave(true);
  auto coordinator = Create("touch " + folder_ + "/next\nexec sleep 1000\n", {"launcher.register_timeout_s=1"});
  std::thread work([&] { EXPECT_TRUE(coordinator->Run().ok()); });
  AwaitFile("next");
  coordinator->Stop();
  work.join();
  coordinator.reset();
  EXPECT_EQ(Events("launch_taken_over"), std::vector<std::string>{"worker-1-7 still runs"});
  EXPECT_EQ(Events("worker_late").at(0).substr(0, 10), "worker-1-7");
  EXPECT_EQ(Members("worker-1-7"), 0u);
}

}  // namespace
}  // namespace srlm::rounds
