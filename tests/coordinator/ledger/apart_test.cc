// A ledger that is taken from a process which still has it open.
#include "coordinator/ledger/apart.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/ledger/owner_lock.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

class ApartTest : public RunFolderTest {
 protected:
  bool IsThere(const std::string& name) const { return std::filesystem::exists(run_ + "/" + name); }
  void Await(const std::string& name) {
    const Deadline deadline = Deadline::AfterSeconds(60);
    while (!IsThere(name) && !deadline.Expired()) sched_yield();
    ASSERT_TRUE(IsThere(name)) << name;
  }
  // A process that does `body`, which never returns; one that a failed test leaves is ended with it.
  template <class Body>
  void Fork(const Body& body) {
    child_ = fork();
    if (child_ == 0) body();
  }
  int ExitCode() {
    int status = -1;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    child_ = 0;
    return WEXITSTATUS(status);
  }
  void TearDown() override {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    RunFolderTest::TearDown();
  }
  void Touch(const std::string& name) { ASSERT_TRUE(WriteFileAtomic(run_ + "/" + name, "").ok()); }

  pid_t child_ = 0;
};

TEST_F(ApartTest, WithoutALedgerThereIsNothingToDo) { EXPECT_TRUE(SetLedgerApart(run_).ok()); }

// The earlier owner is stopped when it has written and not committed; the run is taken; it goes on.
TEST_F(ApartTest, AStoppedOwnerThatWakesStoresAndAcknowledgesNothing) {
  Fork([&] {
    auto lock = OwnerLock::Claim(run_);
    auto ledger = Ledger::Open(run_, [&] { return lock->Check(); });
    if (!ledger.ok() || !(*ledger)->SetFact("committed", "yes").ok() || !(*ledger)->Commit().ok()) _exit(10);
    if (!(*ledger)->SetFact("uncommitted", "yes").ok()) _exit(11);
    if (!WriteFileAtomic(run_ + "/ready", "").ok()) _exit(12);
    while (!IsThere("taken")) sched_yield();
    if ((*ledger)->Commit().code() != Code::kAborted) _exit(13);
    if ((*ledger)->SetFact("late", "yes").ok()) _exit(14);
    _exit(0);
  });
  Await("ready");
  ASSERT_EQ(kill(child_, SIGSTOP), 0);
  {
    EXPECT_FALSE(Ledger::Open(run_).ok()) << "the stopped process has its lock still";
    const auto lock = OwnerLock::Claim(run_, {.take_over = true});
    ASSERT_TRUE(lock.ok()) << lock.status().message();
    const Status apart = SetLedgerApart(run_);
    ASSERT_TRUE(apart.ok()) << apart.message();
    const auto ledger = Ledger::Open(run_, [&] { return lock->Check(); });
    ASSERT_TRUE(ledger.ok()) << ledger.status().message();
    EXPECT_EQ(*(*ledger)->Fact("committed"), "yes");
    EXPECT_EQ(*(*ledger)->Fact("uncommitted"), "");
    ASSERT_TRUE((*ledger)->SetFact("new", "yes").ok());
    Touch("taken");
    ASSERT_EQ(kill(child_, SIGCONT), 0);
    EXPECT_EQ(ExitCode(), 0);
    ASSERT_TRUE((*ledger)->Commit().ok()) << "it was disturbed";
    EXPECT_TRUE(lock->Check().ok());
  }
  const auto ledger = *Ledger::OpenReadOnly(run_);
  EXPECT_EQ(*ledger->Fact("new"), "yes");
  EXPECT_EQ(*ledger->Fact("late"), "");
  EXPECT_EQ(*ledger->Fact("uncommitted"), "");
}

// It is stopped within a commit: pages are written, the journal is hot. What it had not finished is taken back.
TEST_F(ApartTest, ACommitThatWasInTheMiddleIsTakenBackWhole) {
  Fork([&] {
    const auto ledger = Ledger::Open(run_);
    if (!ledger.ok() || !(*ledger)->SetFact("whole", "yes").ok() || !(*ledger)->Commit().ok()) _exit(10);
    Database& database = (*ledger)->database();
    // A transaction larger than the cache: its pages go into the file before the commit.
    if (!database.Execute("PRAGMA cache_size = 10; BEGIN IMMEDIATE; CREATE TABLE big (x BLOB)").ok()) _exit(11);
    for (int i = 0; i < 2000; ++i)
      if (!database.Execute("INSERT INTO big VALUES (zeroblob(1000)); UPDATE facts SET value = 'half'").ok()) _exit(12);
    (void)WriteFileAtomic(run_ + "/ready", "");
    while (true) pause();
  });
  Await("ready");
  ASSERT_EQ(kill(child_, SIGSTOP), 0);
  EXPECT_GT(std::filesystem::file_size(run_ + "/ledger.sqlite-journal"), 0u);
  const Status apart = SetLedgerApart(run_);
  EXPECT_TRUE(apart.ok()) << apart.message();
  {
    const auto ledger = Ledger::Open(run_);
    ASSERT_TRUE(ledger.ok()) << ledger.status().message();
    EXPECT_EQ(*(*ledger)->Fact("whole"), "yes");
    EXPECT_FALSE((*ledger)->database().Prepare("SELECT * FROM big").ok());
    EXPECT_TRUE((*ledger)->database().Execute("PRAGMA integrity_check").ok());
  }
  int temporary = 0;
  for (const auto& entry : std::filesystem::directory_iterator(run_))
    temporary += entry.path().filename().string().find(".tmp.") != std::string::npos;
  EXPECT_EQ(temporary, 0);
}

TEST_F(ApartTest, AnOwnerThatGoesOnWritingIsNotCopiedInTheMiddle) {
  Fork([&] {
    const auto ledger = Ledger::Open(run_);
    (void)WriteFileAtomic(run_ + "/ready", "");
    for (int i = 0; !IsThere("enough"); ++i)
      if (!(*ledger)->SetFact("count", std::to_string(i)).ok() || !(*ledger)->Commit().ok()) _exit(1);
    while (!IsThere("end")) sched_yield();
    _exit(0);
  });
  Await("ready");
  // While it writes all the time no copy is taken; once it rests, one is.
  std::thread rest([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    Touch("enough");
  });
  const Clock::time_point begin = Clock::now();
  const Status apart = SetLedgerApart(run_);
  EXPECT_TRUE(apart.ok()) << apart.message();
  EXPECT_GT(SecondsSince(begin), 2.4);
  rest.join();
  const auto ledger = Ledger::Open(run_);
  ASSERT_TRUE(ledger.ok()) << ledger.status().message();
  EXPECT_NE(*(*ledger)->Fact("count"), "");
  Touch("end");
  EXPECT_EQ(ExitCode(), 0);
}

}  // namespace
}  // namespace srlm::ledger
