// A ledger whose disk has no room for a while: SQLite's own calls to write fail with the system's reason.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

int write_error = 0;  // what the next writes fail with; SQLite calls plain functions
int writes_left = 0;  // before they do

bool Fails() {
  if (write_error == 0 || writes_left-- > 0) return false;
  errno = write_error;
  return true;
}
ssize_t Write(int file, const void* data, size_t bytes) { return Fails() ? -1 : write(file, data, bytes); }
ssize_t PWrite(int file, const void* data, size_t bytes, off_t at) {
  return Fails() ? -1 : pwrite(file, data, bytes, at);
}

class RoomTest : public RunFolderTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    RunFolderTest::SetUp();
    sqlite3_initialize();
    Replace("write", reinterpret_cast<sqlite3_syscall_ptr>(&Write));
    Replace("pwrite", reinterpret_cast<sqlite3_syscall_ptr>(&PWrite));
    Replace("pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(&PWrite));
    auto opened = Ledger::Open(run_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    ledger_ = std::move(*opened);
  }
  void TearDown() override {
    write_error = 0;
    ledger_.reset();
    for (const char* name : {"write", "pwrite", "pwrite64"}) Replace(name, nullptr);
    RunFolderTest::TearDown();
  }
  static void Replace(const char* name, sqlite3_syscall_ptr function) {
    sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, name, function);
  }
  /// Makes room the `n`-th time that the ledger waits for it.
  void MakeRoomAfter(int n) {
    ledger_->WaitForRoom([this, n](const Status& failure) {
      EXPECT_EQ(failure.code(), Code::kResourceExhausted) << failure.message();
      EXPECT_NE(failure.message().find(run_ + "/ledger.sqlite"), std::string::npos) << failure.message();
      if (++waits_ == n) write_error = 0;
      return OkStatus();
    });
  }
  static void NoRoom(int error, int after_writes) {
    write_error = error;
    writes_left = after_writes;
  }
  std::string Reopened(const std::string& key) {
    ledger_.reset();
    auto opened = Ledger::Open(run_);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    ledger_ = std::move(*opened);
    return *ledger_->Fact(key);
  }

  std::unique_ptr<Ledger> ledger_;
  int waits_ = 0;
};

TEST_P(RoomTest, ACommitTakesAsLongAsItTakesToMakeRoom) {
  MakeRoomAfter(3);
  ASSERT_TRUE(ledger_->SetFact("before", "there").ok());
  ASSERT_TRUE(ledger_->Commit().ok());
  ASSERT_TRUE(ledger_->SetFact("key", "there").ok());
  ASSERT_TRUE(ledger_->AddEvent({0, 1, 1, 1, "info", "one", ""}).ok());
  NoRoom(GetParam(), 0);
  const Status committed = ledger_->Commit();
  EXPECT_TRUE(committed.ok()) << committed.message();
  EXPECT_EQ(waits_, 3);
  EXPECT_EQ(ledger_->uncommitted(), 0);
  EXPECT_EQ(Reopened("before"), "there");
  EXPECT_EQ(*ledger_->Fact("key"), "there");
  EXPECT_EQ(ledger_->Events(0, 0, 10)->size(), 1u);
}

// Wherever in a transaction the room ends, what was written before it is written again.
TEST_P(RoomTest, AWriteInAUnitGoesOnWhereverTheRoomEnds) {
  for (int after = 0; after < 12; ++after) {
    waits_ = 0;
    MakeRoomAfter(2);
    const std::string name = std::to_string(after), large(9000, 'x');
    NoRoom(GetParam(), after);
    ASSERT_TRUE(ledger_->SetFact(name + ".outside", large).ok());
    ledger_->BeginUnit();
    ASSERT_TRUE(ledger_->SetFact(name + ".kept", large).ok());
    ASSERT_TRUE(ledger_->EndUnit(true).ok());
    ledger_->BeginUnit();
    ASSERT_TRUE(ledger_->SetFact(name + ".taken_back", large).ok());
    ASSERT_TRUE(ledger_->EndUnit(false).ok());
    ledger_->BeginUnit();
    EXPECT_EQ(*ledger_->Fact(name + ".kept"), large);
    EXPECT_TRUE(*ledger_->AddModel({name, "id", "folder", "job"}));
    EXPECT_FALSE(*ledger_->AddModel({name, "other", "folder", "job"}));
    ASSERT_TRUE(ledger_->EndUnit(true).ok());
    ASSERT_TRUE(ledger_->Commit().ok());
    write_error = 0;
    EXPECT_EQ(Reopened(name + ".outside"), large);
    EXPECT_EQ(*ledger_->Fact(name + ".kept"), large);
    EXPECT_EQ(*ledger_->Fact(name + ".taken_back"), "");
    EXPECT_EQ(ledger_->Model(name)->value().model_id, "id");
  }
}

TEST_P(RoomTest, WhoDoesNotWaitFindsTheLastCommit) {
  ASSERT_TRUE(ledger_->SetFact("kept", "yes").ok());
  ASSERT_TRUE(ledger_->Commit().ok());
  ledger_->WaitForRoom([](const Status& failure) { return failure; });
  ASSERT_TRUE(ledger_->SetFact("lost", "yes").ok());
  NoRoom(GetParam(), 0);
  const Status committed = ledger_->Commit();
  EXPECT_EQ(committed.code(), Code::kResourceExhausted) << committed.message();
  EXPECT_FALSE(ledger_->SetFact("after", "no").ok());
  EXPECT_FALSE(ledger_->Commit().ok());
  write_error = 0;
  EXPECT_EQ(Reopened("kept"), "yes");
  EXPECT_EQ(*ledger_->Fact("lost"), "");
}

// A run that was taken over while its coordinator waited is the other's.
TEST_P(RoomTest, AnOwnerThatLostTheRunMeanwhileWritesNothing) {
  ledger_.reset();
  bool ours = true;
  auto opened = Ledger::Open(run_, [&] { return ours ? OkStatus() : Aborted("taken over"); });
  ASSERT_TRUE(opened.ok());
  ledger_ = std::move(*opened);
  ledger_->WaitForRoom([&](const Status&) {
    ours = false;
    write_error = 0;
    return OkStatus();
  });
  ASSERT_TRUE(ledger_->SetFact("key", "there").ok());
  NoRoom(GetParam(), 0);
  EXPECT_EQ(ledger_->Commit().code(), Code::kAborted);
  EXPECT_EQ(Reopened("key"), "");
}

INSTANTIATE_TEST_SUITE_P(Reasons, RoomTest, testing::Values(ENOSPC, EDQUOT, EROFS),
                         [](const auto& reason) { return std::string(strerrorname_np(reason.param)); });

TEST_F(RunFolderTest, ADiskThatFailsIsNotWaitedFor) {
  auto opened = Ledger::Open(run_);
  ASSERT_TRUE(opened.ok());
  (*opened)->WaitForRoom([](const Status& failure) {
    ADD_FAILURE() << failure.message();
    return failure;
  });
  ASSERT_TRUE((*opened)->SetFact("key", "there").ok());
  sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  for (const char* name : {"pwrite", "pwrite64"})
    vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(&PWrite));
  vfs->xSetSystemCall(vfs, "write", reinterpret_cast<sqlite3_syscall_ptr>(&Write));
  write_error = EIO;
  writes_left = 0;
  const Status committed = (*opened)->Commit();
  write_error = 0;
  for (const char* name : {"write", "pwrite", "pwrite64"}) vfs->xSetSystemCall(vfs, name, nullptr);
  EXPECT_EQ(committed.code(), Code::kInternal) << committed.message();
}

}  // namespace
}  // namespace srlm::ledger
