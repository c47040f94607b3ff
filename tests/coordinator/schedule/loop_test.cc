#include "coordinator/schedule/loop.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "coordinator/ledger/database.h"

namespace srlm::schedule {
namespace {

class LoopTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "srlm_loop_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    run_ = folder;
    auto ledger = ledger::Ledger::Open(run_);
    ASSERT_TRUE(ledger.ok()) << ledger.status().message();
    ledger_ = std::move(*ledger);
  }
  void TearDown() override {
    ledger_.reset();
    std::filesystem::remove_all(run_);
  }
  void Start(LoopOptions options) {
    loop_ = std::make_unique<Loop>(*ledger_, options);
    thread_ = std::thread([this] { ended_ = loop_->Run([] { return Result<bool>(true); }); });
  }
  void End() {
    loop_->Stop();
    thread_.join();
  }
  // What is on disk: the files are copied, so that nothing of the open connection can help.
  std::string OnDisk(const std::string& key) {
    const std::string copy = run_ + "/copy";
    std::filesystem::create_directory(copy);
    std::error_code error;
    std::filesystem::copy_file(run_ + "/ledger.sqlite", copy + "/ledger.sqlite",
                               std::filesystem::copy_options::overwrite_existing, error);
    std::filesystem::copy_file(run_ + "/ledger.sqlite-journal", copy + "/ledger.sqlite-journal",
                               std::filesystem::copy_options::overwrite_existing, error);
    const auto ledger = ledger::Ledger::OpenReadOnly(copy);
    return ledger.ok() ? *(*ledger)->Fact(key) : ledger.status().message();
  }

  std::string run_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
  Status ended_;
};

TEST_F(LoopTest, AnAnswerComesAfterItsWritesAreOnDisk) {
  Start({});
  for (int i = 0; i < 20; ++i) {
    const std::string key = std::to_string(i);
    const auto answer = loop_->CallDurably([&]() -> Result<int> {
      SRLM_RETURN_IF_ERROR(ledger_->SetFact(key, "there"));
      return i;
    });
    ASSERT_TRUE(answer.ok()) << answer.status().message();
    EXPECT_EQ(*answer, i);
    EXPECT_EQ(OnDisk(key), "there");
  }
  End();
  EXPECT_TRUE(ended_.ok());
}

TEST_F(LoopTest, AReaderSeesOnlyWhatIsOnDiskAndWaitsForNothingElse) {
  Start({.commit_after = std::chrono::milliseconds(20), .commit_writes = 1000});
  for (int i = 0; i < 20; ++i) {
    const std::string key = std::to_string(i);
    ASSERT_TRUE(loop_
                    ->Call([&]() -> Result<int> {
                      SRLM_RETURN_IF_ERROR(ledger_->SetFact(key, "there"));
                      return i;
                    })
                    .ok());
    const auto seen = loop_->CallForReading([&] { return ledger_->Fact(key); });
    ASSERT_TRUE(seen.ok()) << seen.status().message();
    EXPECT_EQ(*seen, "there");
    EXPECT_EQ(OnDisk(key), "there");
  }
  End();
  Start({.commit_after = std::chrono::hours(1), .commit_writes = 1000});
  EXPECT_TRUE(loop_->CallForReading([&] { return ledger_->Fact("1"); }).ok());  // nothing is written: at once
  End();
}

TEST_F(LoopTest, WritesOfManyCallersShareACommit) {
  constexpr int kCallers = 8;
  // The time alone would never commit: the group is full when the last caller has written.
  Start({.commit_after = std::chrono::hours(1), .commit_writes = kCallers});
  std::vector<std::thread> callers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      const auto answer = loop_->CallDurably([&]() -> Result<int> {
        SRLM_RETURN_IF_ERROR(ledger_->SetFact(std::to_string(i), "there"));
        return i;
      });
      answered += answer.ok();
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answered, kCallers);
  for (int i = 0; i < kCallers; ++i) EXPECT_EQ(OnDisk(std::to_string(i)), "there");
  End();
}

TEST_F(LoopTest, AWriteThatDoesNotFitIsNeverAcknowledged) {
  ASSERT_TRUE(ledger_->database().Execute("PRAGMA max_page_count = 1").ok());
  Start({});
  const auto answer = loop_->CallDurably([&]() -> Result<int> {
    SRLM_RETURN_IF_ERROR(ledger_->SetFact("key", std::string(100000, 'x')));
    return 1;
  });
  EXPECT_EQ(answer.status().code(), Code::kResourceExhausted) << answer.status().message();
  thread_.join();  // the loop ends by itself: a coordinator that cannot write must not go on
  EXPECT_EQ(ended_.code(), Code::kResourceExhausted);
}

// A commit that waits answers everybody meanwhile; those whose writes wait for it are answered after it.
TEST_F(LoopTest, WhileACommitWaitsForRoomOthersAreRefusedAndUrgentCallsAreRun) {
  ASSERT_TRUE(ledger_->database().Execute("PRAGMA max_page_count = 1").ok());
  std::atomic<bool> waiting = false, room = false;
  ledger_->WaitForRoom([&](const Status& failure) {
    EXPECT_TRUE(loop_->running());
    waiting = true;
    while (!room) loop_->Refuse(ResourceExhausted("no room"), std::chrono::milliseconds(20));
    waiting = false;
    EXPECT_TRUE(ledger_->database().Execute("PRAGMA max_page_count = 100000").ok());
    return failure.code() == Code::kResourceExhausted ? OkStatus() : failure;
  });
  Start({});
  Result<int> answer = 0;
  std::thread caller([&] {
    answer = loop_->CallDurably([&]() -> Result<int> {
      SRLM_RETURN_IF_ERROR(ledger_->SetFact("key", std::string(100000, 'x')));
      return 7;
    });
  });
  while (!waiting) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) {
    const Status refused = loop_->CallDurably([]() -> Result<int> { return 1; }).status();
    EXPECT_EQ(refused.code(), Code::kResourceExhausted) << refused.message();
    EXPECT_EQ(*loop_->CallUrgently([&]() -> Result<int> { return 2 + waiting; }), 3);
  }
  room = true;
  caller.join();
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(*answer, 7);
  EXPECT_EQ(OnDisk("key").size(), 100000u);
  EXPECT_EQ(*loop_->CallUrgently([&]() -> Result<int> { return 4; }), 4);
  End();
  EXPECT_TRUE(ended_.ok()) << ended_.message();
}

TEST_F(LoopTest, ACallAfterTheEndIsUnavailable) {
  Start({});
  End();
  EXPECT_EQ(loop_->Call([]() -> Result<int> { return 1; }).status().code(), Code::kUnavailable);
  EXPECT_TRUE(loop_->WaitEnded(std::chrono::milliseconds(0)));
}

TEST_F(LoopTest, WhatWasWrittenIsCommittedAtTheEnd) {
  Start({.commit_after = std::chrono::hours(1)});
  ASSERT_TRUE(loop_
                  ->Call([&]() -> Result<int> {
                    SRLM_RETURN_IF_ERROR(ledger_->SetFact("key", "there"));
                    return 1;
                  })
                  .ok());
  End();
  EXPECT_EQ(OnDisk("key"), "there");
}

TEST_F(LoopTest, AFailureOfTheTickEndsTheLoop) {
  Loop loop(*ledger_, {});
  const Status status = loop.Run([]() -> Result<bool> { return FailedPrecondition("no more"); });
  EXPECT_EQ(status.message(), "no more");
}

}  // namespace
}  // namespace srlm::schedule
