#include "coordinator/ledger/owner.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/process.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

class OwnerTest : public RunFolderTest {
 protected:
  void WriteLock(const Owner& owner) {
    ASSERT_TRUE(WriteFileAtomic(run_ + "/owner.lock",
                                fmt::format(R"({{"host": "{}", "pid": {}, "process_start": {}, "epoch": {}}})",
                                            owner.host, owner.pid, owner.process_start, owner.epoch))
                    .ok());
  }
};

TEST_F(OwnerTest, ASecondLiveOwnerIsRefusedAndToldWhoHoldsTheRun) {
  auto first = OwnerLock::Claim(run_);
  ASSERT_TRUE(first.ok()) << first.status().message();
  ASSERT_TRUE(first->SetEpoch(4).ok());
  const Status second = OwnerLock::Claim(run_).status();
  EXPECT_EQ(second.code(), Code::kFailedPrecondition);
  EXPECT_NE(second.message().find(std::to_string(getpid())), std::string::npos) << second.message();
  EXPECT_NE(second.message().find("epoch 4"), std::string::npos) << second.message();
}

TEST_F(OwnerTest, ARunIsFreeAfterItsOwner) {
  {
    ASSERT_TRUE(OwnerLock::Claim(run_).ok());
  }
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
  EXPECT_TRUE(std::filesystem::is_empty(run_));
}

TEST_F(OwnerTest, ADeadProcessLosesItsRun) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  Owner dead = ThisProcess();
  dead.pid = child;
  WriteLock(dead);
  const auto lock = OwnerLock::Claim(run_);
  ASSERT_TRUE(lock.ok()) << lock.status().message();
}

TEST_F(OwnerTest, AZombieLosesItsRun) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  Owner zombie = ThisProcess();
  zombie.pid = child;
  zombie.process_start = ReadProcess(child)->start_ticks;
  WriteLock(zombie);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
}

TEST_F(OwnerTest, TheLockOfAnotherIsNeitherWrittenNorRemoved) {
  {
    auto lock = OwnerLock::Claim(run_);
    ASSERT_TRUE(lock.ok());
    Owner other = ThisProcess();
    other.epoch = 9;
    WriteLock(other);
    EXPECT_EQ(lock->SetEpoch(5).code(), Code::kAborted);
  }
  EXPECT_NE(ReadFile(run_ + "/owner.lock")->find("\"epoch\": 9"), std::string::npos);
}

TEST_F(OwnerTest, AReusedProcessNumberIsNotTheOwner) {
  Owner earlier = ThisProcess();
  ++earlier.process_start;
  WriteLock(earlier);
  EXPECT_TRUE(OwnerLock::Claim(run_).ok());
}

TEST_F(OwnerTest, AnotherHostKeepsItsRun) {
  Owner elsewhere = ThisProcess();
  elsewhere.host = "elsewhere";
  WriteLock(elsewhere);
  const Status status = OwnerLock::Claim(run_).status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("elsewhere"), std::string::npos);
}

TEST_F(OwnerTest, ALockThatCannotBeReadIsLeftAlone) {
  ASSERT_TRUE(WriteFileAtomic(run_ + "/owner.lock", "?").ok());
  EXPECT_EQ(OwnerLock::Claim(run_).status().code(), Code::kDataLoss);
  EXPECT_TRUE(std::filesystem::exists(run_ + "/owner.lock"));
}

}  // namespace
}  // namespace srlm::ledger
