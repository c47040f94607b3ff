#include "coordinator/ledger/owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <fstream>

#include "common/base/file.h"
#include "common/base/process.h"
#include "coordinator/ledger/owner_lock.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

class OwnerTest : public RunFolderTest {
 protected:
  void WriteLock(const Owner& owner, int seconds_ago = 0) {
    ASSERT_TRUE(WriteFileAtomic(Lock(), OwnerText(owner)).ok());
    struct timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec then[2] = {{now.tv_sec - seconds_ago, 0}, {now.tv_sec - seconds_ago, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, Lock().c_str(), then, 0), 0);
  }
  std::string Lock() const { return run_ + "/owner.lock"; }
  static Owner Elsewhere() {
    Owner owner = ThisProcess();
    owner.host = "elsewhere";
    owner.boot_id = "another";
    owner.epoch = 4;
    return owner;
  }
  // A program named squeue that is found first, and answers so.
  void AnswerOfSqueue(const std::string& script) {
    ASSERT_TRUE(WriteFileAtomic(run_ + "/squeue", "#!/bin/sh\n" + script).ok());
    ASSERT_EQ(chmod((run_ + "/squeue").c_str(), 0755), 0);
    setenv("PATH", (run_ + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    RunFolderTest::TearDown();
  }
  const std::string path_ = std::getenv("PATH");
};

TEST_F(OwnerTest, ASecondLiveOwnerIsRefusedAndToldWhoHoldsTheRun) {
  auto first = OwnerLock::Claim(run_);
  ASSERT_TRUE(first.ok()) << first.status().message();
  ASSERT_TRUE(first->SetEpoch(4).ok());
  const Status second = OwnerLock::Claim(run_).status();
  EXPECT_EQ(second.code(), Code::kFailedPrecondition);
  EXPECT_NE(second.message().find(std::to_string(getpid())), std::string::npos) << second.message();
  EXPECT_NE(second.message().find("epoch 4"), std::string::npos) << second.message();
  EXPECT_NE(second.message().find("--take-over"), std::string::npos) << second.message();
  EXPECT_TRUE(first->Check().ok()) << "a refused claim changes nothing";
}

TEST_F(OwnerTest, ARunIsFreeAfterItsOwner) {
  {
    ASSERT_TRUE(OwnerLock::Claim(run_).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(Lock()));
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
  EXPECT_TRUE(std::filesystem::is_empty(run_));
}

TEST_F(OwnerTest, ADeadProcessAndAZombieLoseTheirRun) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  Owner owner = ThisProcess();
  owner.pid = child;
  owner.process_start = ReadProcess(child)->start_ticks;
  WriteLock(owner);
  {
    const auto lock = OwnerLock::Claim(run_);
    ASSERT_TRUE(lock.ok()) << lock.status().message();
    EXPECT_FALSE(lock->displaced()) << "a zombie writes nothing";
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  WriteLock(owner);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, AReusedProcessNumberIsNotTheOwner) {
  Owner earlier = ThisProcess();
  ++earlier.process_start;
  WriteLock(earlier);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, AnotherHostKeepsItsRunHoweverLongItWasNotHeard) {
  WriteLock(Elsewhere(), 7200);
  const Status status = OwnerLock::Claim(run_).status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("elsewhere"), std::string::npos);
  EXPECT_NE(status.message().find("last heard 2 h ago"), std::string::npos) << status.message();
  const auto taken = OwnerLock::Claim(run_, {.take_over = true});
  ASSERT_TRUE(taken.ok()) << taken.status().message();
  EXPECT_TRUE(taken->displaced());
}

TEST_F(OwnerTest, AContainersProcessIsNotJudgedByItsNumberHere) {
  Owner contained = ThisProcess();
  contained.pid_namespace = "pid:[1]";
  contained.pid = 999999999;
  WriteLock(contained, 7200);
  EXPECT_FALSE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, AHostThatStartedAnewHasNoOldProcesses) {
  Owner before = ThisProcess();
  before.boot_id = "of the last start";
  WriteLock(before, 10);
  EXPECT_FALSE(OwnerLock::Claim(run_).ok()) << "perhaps another host of the same name";
  WriteLock(before, 120);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, SlurmKnowsWhetherAJobIsOver) {
  Owner owner = Elsewhere();
  owner.slurm_job_id = "77";
  WriteLock(owner);
  for (const char* alive : {"echo RUNNING", "echo COMPLETING", "echo PENDING", "echo hm; exit 1", "echo SUSPENDED"}) {
    AnswerOfSqueue(alive);
    EXPECT_FALSE(OwnerLock::Claim(run_).ok()) << alive;
  }
  AnswerOfSqueue("test \"$*\" = '--noheader --states=all --format=%T --jobs=77' && echo NODE_FAIL");
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
  WriteLock(owner);
  AnswerOfSqueue("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, AJobThatSlurmStartedAgainTakesItsRun) {
  Owner owner = Elsewhere();
  owner.slurm_job_id = "77";
  WriteLock(owner);
  setenv("SLURM_JOB_ID", "77", 1);
  EXPECT_FALSE(OwnerLock::Claim(run_).ok()) << "another process of the same life";
  setenv("SLURM_RESTART_COUNT", "1", 1);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, WhoLostTheRunFindsOutAndChangesNothing) {
  auto first = OwnerLock::Claim(run_);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(first->SetEpoch(1).ok());
  auto second = OwnerLock::Claim(run_, {.take_over = true});
  ASSERT_TRUE(second.ok()) << second.status().message();
  ASSERT_TRUE(second->SetEpoch(2).ok());
  EXPECT_EQ(first->Check().code(), Code::kAborted);
  EXPECT_EQ(first->Renew().code(), Code::kAborted);
  EXPECT_EQ(first->SetEpoch(5).code(), Code::kAborted);
  bool ran = false;
  EXPECT_EQ(first
                ->WhileOurs([&] {
                  ran = true;
                  return OkStatus();
                })
                .code(),
            Code::kAborted);
  EXPECT_FALSE(ran);
  EXPECT_NE(first->Check().message().find("epoch 2"), std::string::npos) << first->Check().message();
  {
    const OwnerLock gone = std::move(*first);
  }
  EXPECT_TRUE(second->Check().ok()) << "its lock was taken away";
}

TEST_F(OwnerTest, ALockThatVanishedIsNobodys) {
  const auto lock = OwnerLock::Claim(run_);
  std::filesystem::remove(Lock());
  EXPECT_EQ(lock->Check().code(), Code::kAborted);
}

TEST_F(OwnerTest, OfManyThatClaimOneGetsTheRun) {
  constexpr int kClaimers = 8;
  for (const bool held : {false, true}) {
    Owner dead = ThisProcess();
    ++dead.process_start;
    if (held) WriteLock(dead);
    std::vector<pid_t> children;
    int hold[2];
    ASSERT_EQ(pipe(hold), 0);
    for (int i = 0; i < kClaimers; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        close(hold[1]);
        const auto lock = OwnerLock::Claim(run_);
        char byte;
        if (lock.ok()) (void)!read(hold[0], &byte, 1);  // keeps it until all have tried
        _exit(lock.ok() && lock->Check().ok() ? 1 : 0);
      }
      children.push_back(child);
    }
    close(hold[0]);
    int ended = 0, owners = 0;
    while (ended < kClaimers - 1) {
      int status = 0;
      ASSERT_GT(wait(&status), 0);
      ++ended;
      owners += WEXITSTATUS(status);
    }
    close(hold[1]);
    int status = 0;
    ASSERT_GT(wait(&status), 0);
    owners += WEXITSTATUS(status);
    EXPECT_EQ(owners, 1) << "held before: " << held;
    std::filesystem::remove(Lock());
  }
}

TEST_F(OwnerTest, ALockThatCannotBeReadIsLeftAlone) {
  ASSERT_TRUE(WriteFileAtomic(Lock(), "?").ok());
  EXPECT_EQ(OwnerLock::Claim(run_).status().code(), Code::kDataLoss);
  EXPECT_TRUE(std::filesystem::exists(Lock()));
}

TEST_F(OwnerTest, RenewingShowsThatTheOwnerLives) {
  auto lock = OwnerLock::Claim(run_);
  WriteLock(Elsewhere(), 500);
  EXPECT_NEAR(ReadOwnerLock(run_)->age_s, 500, 60);
  auto taken = OwnerLock::Claim(run_, {.take_over = true});
  ASSERT_TRUE(taken->Renew().ok());
  EXPECT_LT(ReadOwnerLock(run_)->age_s, 60);
}

}  // namespace
}  // namespace srlm::ledger
