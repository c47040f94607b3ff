#include "common/base/failpoint.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace srlm {
namespace {

class FailpointTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "srlm_failpoint_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Passes of ledger.before_commit that a process survives, of at most five: it runs apart, as its environment says.
  static int Survives(const char* failpoint, const std::string& count_file = "") {
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      setenv("SRLM_FAILPOINT", failpoint, 1);
      if (!count_file.empty()) setenv("SRLM_FAILPOINT_COUNT", count_file.c_str(), 1);
      if (!ArmFailpoints().ok()) _exit(1);
      for (int pass = 0; pass < 5; ++pass) {
        Failpoint("ledger.before_commit");
        Failpoint("worker.begin_item", pass == 3 ? "1/candidate/a:b" : "other");
        if (write(pipe_ends[1], ".", 1) != 1) _exit(1);
      }
      _exit(0);
    }
    close(pipe_ends[1]);
    char passed[8];
    int count = 0;
    for (ssize_t got; (got = read(pipe_ends[0], passed, sizeof passed)) > 0;) count += static_cast<int>(got);
    close(pipe_ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(count == 5 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                           : WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        << status;
    return count;
  }

  static Status Arm(const char* failpoint) {
    setenv("SRLM_FAILPOINT", failpoint, 1);
    const Status status = ArmFailpoints();
    unsetenv("SRLM_FAILPOINT");
    return status;
  }

  std::string folder_;
};

TEST_F(FailpointTest, AbortsAtThePassThatIsNamed) {
  EXPECT_EQ(Survives("ledger.before_commit:1"), 0);
  EXPECT_EQ(Survives("ledger.before_commit:3"), 2);
  EXPECT_EQ(Survives("ledger.before_commit:9"), 5);
  EXPECT_EQ(Survives("ledger.after_commit:1"), 5);
  EXPECT_EQ(Survives(""), 5);
}

TEST_F(FailpointTest, ASubjectIsMetAtItsOwnPassesOnly) {
  EXPECT_EQ(Survives("worker.begin_item@1/candidate/a:b"), 3);
  EXPECT_EQ(Survives("worker.begin_item@other:2"), 1);
  EXPECT_EQ(Survives("worker.begin_item"), 0);
}

TEST_F(FailpointTest, ProcessesThatShareACountAbortOnce) {
  const std::string count = folder_ + "/count";
  EXPECT_EQ(Survives("ledger.before_commit:7", count), 5);
  EXPECT_EQ(Survives("ledger.before_commit:7", count), 1);
  EXPECT_EQ(Survives("ledger.before_commit:7", count), 5);
}

TEST_F(FailpointTest, AnUnknownNameIsAnErrorAndAnotherProgramsIsNot) {
  const Status unknown = Arm("ledger.before_comit:1");
  EXPECT_EQ(unknown.code(), Code::kInvalidArgument);
  EXPECT_NE(unknown.message().find("ledger.before_comit"), std::string::npos) << unknown.message();
  EXPECT_NE(Arm("file.before_rename@nothing.json").message().find("nothing.json"), std::string::npos);
  EXPECT_FALSE(Arm("ledger.before_commit@3").ok());
  EXPECT_FALSE(Arm("ledger.before_commit:0").ok());
  EXPECT_TRUE(Arm("trainer.connected:1").ok());
}

TEST_F(FailpointTest, AProgramListsItsOwn) {
  const std::string names = ListFailpoints(kFailInTrainer);
  EXPECT_NE(names.find("checkpoint.before_rename\n"), std::string::npos) << names;
  EXPECT_NE(names.find("file.before_rename@srlm_manifest.json\n"), std::string::npos) << names;
  EXPECT_EQ(names.find("ledger."), std::string::npos) << names;
}

}  // namespace
}  // namespace srlm
