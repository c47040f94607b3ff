#include <signal.h>

#include "coordinator/launcher/launcher.h"
#include "coordinator/launcher/session.h"
#include "tests/coordinator/launcher/await_text.h"

namespace srlm::launcher {
namespace {

config::LauncherConfig WithCommand(const std::string& command) {
  config::LauncherConfig config;
  config.command = command;
  return config;
}

class LocalLauncherTest : public ::testing::Test {
 protected:
  /// A launcher that starts one plain process instead of mpirun.
  std::unique_ptr<Launcher> Plain() { return Make(WithCommand("{program}")); }
  static std::unique_ptr<Launcher> Make(const config::LauncherConfig& config) {
    auto made = MakeLocalLauncher(config);
    SRLM_CHECK(made.ok(), made.status().message());
    return std::move(*made);
  }
  LaunchSpec Spec(std::vector<std::string> args, int ranks = 1) const {
    return {.id = "a",
            .program = LAUNCHER_CHILD,
            .args = std::move(args),
            .ranks = ranks,
            .env = {},
            .log_dir = logs_,
            .hosts = {}};
  }
  static LaunchStatus AwaitEnd(Launcher& launcher, const std::string& id) {
    const Deadline deadline = Deadline::AfterSeconds(30);
    while (true) {
      const auto status = launcher.Poll(id);
      SRLM_CHECK(status.ok(), status.status().message());
      if (!status->running || deadline.Expired()) return *status;
      sched_yield();
    }
  }
  std::string output() const { return logs_ + "/output.log"; }

  TemporaryFolder folder_;
  std::string logs_ = folder_.path() + "/logs/worker/a";
};

TEST_F(LocalLauncherTest, ReportsAnEndWithoutFailure) {
  const auto launcher = Plain();
  ASSERT_TRUE(launcher->Start(Spec({"say", "hello"})).ok());
  const LaunchStatus status = AwaitEnd(*launcher, "a");
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_TRUE(status.tail.empty());
  EXPECT_EQ(*ReadFile(output()), "hello\n");
}

TEST_F(LocalLauncherTest, ReportsACrashWithItsLogs) {
  const auto launcher = Make(WithCommand("sh -c 'echo last words; exec \"$@\"' sh {program}"));
  ASSERT_TRUE(launcher->Start(Spec({"signal", std::to_string(SIGSEGV)})).ok());
  const LaunchStatus status = AwaitEnd(*launcher, "a");
  EXPECT_EQ(status.exit_code, 139);
  EXPECT_NE(status.reason.find("segmentation"), std::string::npos);
  EXPECT_EQ(status.tail, (std::vector<std::string>{output() + ":", "  last words"}));
}

TEST_F(LocalLauncherTest, StopKillsWhatDoesNotListenAfterItsDeadline) {
  const auto launcher = Plain();
  const auto launch = launcher->Start(Spec({"deaf"}));
  ASSERT_TRUE(launch.ok());
  AwaitText(output(), "ready");
  ASSERT_TRUE(launcher->Stop("a", Deadline::AfterSeconds(3600)).ok());
  EXPECT_TRUE(launcher->Poll("a")->running);
  ASSERT_TRUE(launcher->Stop("a", Deadline::AfterSeconds(0)).ok());
  EXPECT_EQ(AwaitEnd(*launcher, "a").exit_code, 137);
  EXPECT_TRUE(SessionMembers(static_cast<pid_t>(launch->process_group)).empty());
}

TEST_F(LocalLauncherTest, TheSpecsEnvironmentWins) {
  const auto launcher = Plain();
  LaunchSpec spec = Spec({"env"});
  spec.env = {{"OMP_NUM_THREADS", "17"}, {"MINE", "x"}};
  setenv("PMIX_RANK", "0", 1);
  ASSERT_TRUE(launcher->Start(spec).ok());
  AwaitEnd(*launcher, "a");
  unsetenv("PMIX_RANK");
  const std::string text = *ReadFile(output());
  EXPECT_NE(text.find("OMP_NUM_THREADS=17\n"), std::string::npos);
  EXPECT_NE(text.find("OMP_WAIT_POLICY=passive\n"), std::string::npos);
  EXPECT_NE(text.find("MINE=x\n"), std::string::npos);
  EXPECT_NE(text.find("SRLM_LOG_DIR=" + logs_ + "\n"), std::string::npos);
  EXPECT_EQ(text.find("PMIX_RANK"), std::string::npos);
}

TEST_F(LocalLauncherTest, RefusesAnIdTwiceAndAnUnknownOne) {
  const auto launcher = Plain();
  ASSERT_TRUE(launcher->Start(Spec({"exit", "0"})).ok());
  EXPECT_FALSE(launcher->Start(Spec({"exit", "0"})).ok());
  EXPECT_EQ(launcher->Poll("b").status().code(), Code::kNotFound);
  EXPECT_EQ(launcher->Stop("b", Deadline::AfterSeconds(1)).code(), Code::kNotFound);
}

TEST_F(LocalLauncherTest, SaysWhatIsMissing) {
  const auto made = MakeLocalLauncher(WithCommand("no-such-mpirun {program}"));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.status().message().find("no-such-mpirun"), std::string::npos);
  LaunchSpec spec = Spec({});
  spec.program = folder_.path() + "/srlm-worker";
  const auto started = Plain()->Start(spec);
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.status().message().find("srlm-worker"), std::string::npos);
}

TEST_F(LocalLauncherTest, MpirunStartsAllRanksAndEndsThemOnStop) {
  const auto launcher = Make({});
  const auto launch = launcher->Start(Spec({"family"}, 2));
  ASSERT_TRUE(launch.ok()) << launch.status().message();
  const auto session = static_cast<pid_t>(launch->process_group);
  const Deadline deadline = Deadline::AfterSeconds(30);
  while (SessionMembers(session).size() < 5 && !deadline.Expired()) sched_yield();
  EXPECT_EQ(SessionMembers(session).size(), 5U) << "mpirun, two ranks, a child of each";
  ASSERT_TRUE(launcher->Stop("a", Deadline::AfterSeconds(20)).ok());
  EXPECT_FALSE(AwaitEnd(*launcher, "a").running);
  while (!SessionMembers(session).empty() && !deadline.Expired()) sched_yield();
  EXPECT_TRUE(SessionMembers(session).empty());
}

TEST_F(LocalLauncherTest, MpirunPassesOnARanksFailure) {
  const auto launcher = Make({});
  ASSERT_TRUE(launcher->Start(Spec({"signal", std::to_string(SIGABRT)}, 2)).ok());
  const LaunchStatus status = AwaitEnd(*launcher, "a");
  EXPECT_EQ(status.exit_code, 134);
  EXPECT_FALSE(status.tail.empty());
}

TEST_F(LocalLauncherTest, RanksElsewhereGetAFileOfTheirHostsAndTheAgent) {
  config::LauncherConfig config = WithCommand("sh -c 'cat \"$0\"; \"$@\"' {hostfile} {program}");
  config.profile = config::LauncherProfile::kCluster;
  config.rsh_agent = "/opt/agent";
  const auto launcher = Make(config);
  LaunchSpec spec = Spec({"env"}, 3);
  spec.hosts = {"node1:2", "node2"};
  ASSERT_TRUE(launcher->Start(spec).ok());
  EXPECT_EQ(AwaitEnd(*launcher, "a").exit_code, 0);
  const std::string text = *ReadFile(output());
  EXPECT_TRUE(text.starts_with("node1 slots=2\nnode2\n")) << text;
  EXPECT_NE(text.find("OMPI_MCA_plm_rsh_agent=/opt/agent\n"), std::string::npos);
  EXPECT_EQ(text.find("OMPI_MCA_btl_tcp_if_include"), std::string::npos) << "loopback is for one host";
  spec.id = "b";
  spec.hosts = {"node1:none"};
  EXPECT_EQ(launcher->Start(spec).status().code(), Code::kInvalidArgument);
}

TEST(ShellCommand, IsQuotedForAShell) {
  LaunchSpec spec{.id = "a",
                  .program = "/x y/srlm-worker",
                  .args = {"--run", "it's"},
                  .ranks = 2,
                  .env = {},
                  .log_dir = "",
                  .hosts = {}};
  EXPECT_EQ(ShellCommand(spec), "mpirun -n 2 '/x y/srlm-worker' --run 'it'\\''s'");
  spec.hosts = {"node1:2", "node2"};
  EXPECT_TRUE(ShellCommand(spec).starts_with("mpirun --host node1:2,node2 -n 2 ")) << ShellCommand(spec);
}

}  // namespace
}  // namespace srlm::launcher
