// Reading a run that nobody works on out of a real ledger.
#include "coordinator/cli/stopped_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/clock.h"
#include "common/rpc/run_address.h"
#include "coordinator/cli/export_rows.h"

namespace srlm::cli {
namespace {

class StoppedRunTest : public ::testing::Test {
 protected:
  StoppedRunTest() { std::filesystem::create_directories(folder_); }
  ~StoppedRunTest() override { std::filesystem::remove_all(folder_); }

  /// A ledger with one prompt, two candidates and their pair.
  void WriteLedger(const std::string& state) {
    auto ledger = std::move(*ledger::Ledger::Open(folder_));
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"run_id", "r-1"},
                                     {"name", "tiny"},
                                     {"epoch", "3"},
                                     {"duplicates", "2"},
                                     {"state", state}}) {
      ASSERT_TRUE(ledger->SetFact(key, value).ok());
    }
    ASSERT_TRUE(ledger->SetRound({.round = 1, .started_ms = 1}).ok());
    ledger::PromptRow prompt;
    prompt.round = 1;
    prompt.prompt_id = "p";
    prompt.input = data::PromptInput::FromUser("Name a river.");
    prompt.token_ids = {1, 2};
    prompt.state = "open";
    ASSERT_TRUE(ledger->AddPrompt(prompt).ok());
    for (const int sample : {0, 1}) {
      ledger::CandidateRow candidate;
      candidate.round = 1;
      candidate.prompt_id = "p";
      candidate.sample = sample;
      candidate.token_ids = {7 + sample};
      candidate.token_hash = "h" + std::to_string(sample);
      candidate.text = "answer " + std::to_string(sample);
      candidate.score = sample + 1.5;
      ASSERT_TRUE(ledger->AddCandidate(candidate).ok());
    }
    ledger::PairRow pair;
    pair.round = 1;
    pair.prompt_id = "p";
    pair.outcome = "paired";
    pair.chosen_sample = 1;
    pair.rejected_sample = 0;
    pair.chosen_score = 2.5;
    pair.rejected_score = 1.5;
    ASSERT_TRUE(ledger->AddPair(pair).ok());
    ASSERT_TRUE(ledger->Commit().ok());
  }

  const std::string folder_ = ::testing::TempDir() + "/srlm-stopped-" + std::to_string(getpid());
};

TEST_F(StoppedRunTest, SaysThatNobodyWorksOnARunThatWasKilled) {
  WriteLedger("running");
  // What a killed coordinator leaves: an address whose process is gone.
  ASSERT_TRUE(
      rpc::WriteRunAddress(folder_, {.run_id = "r-1", .address = "127.0.0.1:1", .epoch = 3, .host = "h", .pid = 0})
          .ok());
  const Clock::time_point begin = Clock::now();
  auto run = OpenRun(folder_);
  ASSERT_TRUE(run.ok()) << run.status().message();
  const auto status = (*run)->Status();
  ASSERT_TRUE(status.ok()) << status.status().message();
  EXPECT_LT(SecondsSince(begin), 10);
  EXPECT_EQ(status->run_id(), "r-1");
  EXPECT_EQ(status->state(), "stopped");
  EXPECT_EQ(status->epoch(), 3U);
  EXPECT_EQ(status->duplicates(), 2U);
  EXPECT_NE(status->message().find("srlm run"), std::string::npos);
}

TEST_F(StoppedRunTest, KeepsTheStateOfARunThatEnded) {
  WriteLedger("done");
  auto run = OpenRun(folder_);
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ((*run)->Status()->state(), "done");
}

TEST_F(StoppedRunTest, ListsAndExportsWhatTheLedgerHolds) {
  WriteLedger("done");
  auto run = OpenRun(folder_);
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ(ReadRows(**run, "candidates", 0, 0)->size(), 2U);
  EXPECT_EQ(ReadRows(**run, "candidates", 2, 0)->size(), 0U);
  EXPECT_EQ(ReadRows(**run, "candidates", 0, 1)->size(), 1U);
  std::vector<nlohmann::ordered_json> rows;
  const Status status = ExportRows(**run, "pairs", 0, [&](const auto& row) {
    rows.push_back(row);
    return OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["prompt"][0]["content"], "Name a river.");
  EXPECT_EQ(rows[0]["prompt_token_ids"].dump(), "[1,2]");
  EXPECT_EQ(rows[0]["chosen"][0]["content"], "answer 1");
  EXPECT_EQ(rows[0]["rejected_token_ids"].dump(), "[7]");
}

TEST_F(StoppedRunTest, SaysThatAFolderHoldsNoRun) {
  const auto run = OpenRun(folder_);
  ASSERT_FALSE(run.ok());
  EXPECT_NE(run.status().message().find(folder_), std::string::npos);
}

}  // namespace
}  // namespace srlm::cli
