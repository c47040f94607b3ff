#include "coordinator/ledger/ledger.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "coordinator/ledger/database.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

class LedgerTest : public RunFolderTest {};

CandidateRow SomeCandidate(const std::string& text) {
  CandidateRow row;
  row.round = 1;
  row.prompt_id = "p";
  row.text = text;
  row.token_ids = {1, 2, 49151};
  row.token_hash = "hash";
  row.logprob = -1.25;
  return row;
}

std::unique_ptr<Ledger> OpenOrDie(const std::string& run) {
  auto ledger = Ledger::Open(run);
  EXPECT_TRUE(ledger.ok()) << ledger.status().message();
  return std::move(*ledger);
}

TEST_F(LedgerTest, RowsComeBackAsTheyWereStored) {
  const auto ledger = OpenOrDie(run_);
  CandidateRow row = SomeCandidate(std::string("a\0b \xc3\xa9", 6));
  row.score = 2.5;
  ASSERT_TRUE(*ledger->AddCandidate(row));
  PromptRow prompt{1, 0, "p", true, data::PromptInput::FromUser("Why?"), {7, 8}, "open", ""};
  ASSERT_TRUE(*ledger->AddPrompt(prompt));
  const auto stored = *ledger->Candidate(1, 0, 0);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->text, row.text);
  EXPECT_EQ(stored->token_ids, row.token_ids);
  EXPECT_EQ(stored->score, row.score);
  EXPECT_EQ(stored->logprob, row.logprob);
  const auto stored_prompt = *ledger->Prompt(1, 0);
  EXPECT_EQ(stored_prompt->input, prompt.input);
  EXPECT_EQ(stored_prompt->token_ids, prompt.token_ids);
  EXPECT_TRUE(stored_prompt->is_new);
}

TEST_F(LedgerTest, TheFirstRowOfAKeyStays) {
  const auto ledger = OpenOrDie(run_);
  EXPECT_TRUE(*ledger->AddCandidate(SomeCandidate("first")));
  EXPECT_FALSE(*ledger->AddCandidate(SomeCandidate("second")));
  EXPECT_EQ((*ledger->Candidate(1, 0, 0))->text, "first");
  EXPECT_EQ(ledger->Candidates(0)->size(), 1u);
}

TEST_F(LedgerTest, AUnitThatFailsTakesItsWritesBackAndNoOthers) {
  {
    const auto ledger = OpenOrDie(run_);
    ASSERT_TRUE(ledger->SetFact("before", "yes").ok());
    ledger->BeginUnit();
    ASSERT_TRUE(ledger->SetFact("before", "changed").ok());
    ASSERT_TRUE(*ledger->AddCandidate(SomeCandidate("half")));
    ASSERT_TRUE(ledger->EndUnit(false).ok());
    EXPECT_EQ(ledger->uncommitted(), 1);
    ledger->BeginUnit();
    ASSERT_TRUE(ledger->SetFact("after", "yes").ok());
    ASSERT_TRUE(ledger->EndUnit(true).ok());
    ledger->BeginUnit();
    ASSERT_TRUE(ledger->EndUnit(false).ok()) << "nothing written";
    ASSERT_TRUE(ledger->Commit().ok());
  }
  const auto ledger = OpenOrDie(run_);
  EXPECT_EQ(*ledger->Fact("before"), "yes");
  EXPECT_EQ(*ledger->Fact("after"), "yes");
  EXPECT_TRUE(ledger->Candidates(0)->empty());
}

TEST_F(LedgerTest, ACommitWithinAUnitIsKept) {
  const auto ledger = OpenOrDie(run_);
  ledger->BeginUnit();
  ASSERT_TRUE(ledger->SetFact("durable", "yes").ok());
  ASSERT_TRUE(ledger->Commit().ok());
  ASSERT_TRUE(ledger->SetFact("undone", "yes").ok());
  ASSERT_TRUE(ledger->EndUnit(false).ok());
  EXPECT_EQ(*ledger->Fact("durable"), "yes");
  EXPECT_EQ(*ledger->Fact("undone"), "");
}

TEST_F(LedgerTest, AValueThatAColumnCannotHoldIsAFailureAndNoDuplicate) {
  const auto ledger = OpenOrDie(run_);
  CandidateRow row = SomeCandidate("x");
  row.logprob = std::nan("");  // SQLite would store NULL
  EXPECT_FALSE(ledger->AddCandidate(row).ok());
}

TEST_F(LedgerTest, ACopyIsWholeAndKeepsTheLock) {
  const auto ledger = OpenOrDie(run_);
  ASSERT_TRUE(*ledger->AddCandidate(SomeCandidate("copied")));
  ASSERT_TRUE(ledger->Commit().ok());
  std::filesystem::create_directory(run_ + "/copy");
  for (int i = 0; i < 2; ++i) {  // the second replaces the first
    const Status copied = ledger->database().CopyTo(run_ + "/copy/ledger.sqlite");
    ASSERT_TRUE(copied.ok()) << copied.message();
  }
  EXPECT_EQ((*OpenOrDie(run_ + "/copy")->Candidate(1, 0, 0))->text, "copied");
  // Another process still finds it locked.
  const pid_t child = fork();
  if (child == 0) {
    sqlite3* connection = nullptr;
    sqlite3_open((run_ + "/ledger.sqlite").c_str(), &connection);
    const int code = sqlite3_exec(connection, "SELECT * FROM facts", nullptr, nullptr, nullptr);
    _exit(code == SQLITE_BUSY ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the lock was lost";
}

TEST_F(LedgerTest, CommittedRowsSurviveAndOthersDoNot) {
  {
    const auto ledger = OpenOrDie(run_);
    ASSERT_TRUE(ledger->SetFact("kept", "yes").ok());
    ASSERT_TRUE(ledger->Commit().ok());
    EXPECT_EQ(ledger->uncommitted(), 0);
    ASSERT_TRUE(ledger->SetFact("lost", "yes").ok());
    EXPECT_EQ(ledger->uncommitted(), 1);
    EXPECT_EQ(*ledger->Fact("lost"), "yes");  // seen before the commit
  }
  const auto ledger = OpenOrDie(run_);
  EXPECT_EQ(*ledger->Fact("kept"), "yes");
  EXPECT_EQ(*ledger->Fact("lost"), "");
}

TEST_F(LedgerTest, NobodyElseOpensALiveLedger) {
  const auto ledger = OpenOrDie(run_);
  EXPECT_EQ(Ledger::OpenReadOnly(run_).status().code(), Code::kUnavailable);
}

TEST_F(LedgerTest, AStoppedRunIsReadButNotWritten) {
  {
    const auto ledger = OpenOrDie(run_);
    ASSERT_TRUE(ledger->SetFact("name", "demo").ok());
    ASSERT_TRUE(ledger->Commit().ok());
  }
  const auto reader = Ledger::OpenReadOnly(run_);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(*(*reader)->Fact("name"), "demo");
  EXPECT_FALSE((*reader)->SetFact("name", "other").ok());
}

TEST_F(LedgerTest, AFolderWithoutALedgerIsNotFound) {
  EXPECT_EQ(Ledger::OpenReadOnly(run_).status().code(), Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(run_ + "/ledger.sqlite"));
}

TEST_F(LedgerTest, AFullDiskStopsTheLedgerAtItsLastCommit) {
  {
    const auto ledger = OpenOrDie(run_);
    ASSERT_TRUE(ledger->SetFact("kept", "yes").ok());
    ASSERT_TRUE(ledger->Commit().ok());
    ASSERT_TRUE(ledger->database().Execute("PRAGMA max_page_count = 1").ok());
    Status status;
    for (int i = 0; i < 1000 && status.ok(); ++i) status = ledger->SetFact(std::to_string(i), std::string(1000, 'x'));
    EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.message();
    EXPECT_FALSE(ledger->SetFact("after", "no").ok());
    EXPECT_FALSE(ledger->Commit().ok());
  }
  const auto ledger = OpenOrDie(run_);
  EXPECT_EQ(*ledger->Fact("kept"), "yes");
  EXPECT_EQ(*ledger->Fact("0"), "");
}

TEST_F(LedgerTest, ALedgerOfANewerOrATooOldVersionIsRefused) {
  {
    OpenOrDie(run_);
  }
  for (const auto& [version, words] : {std::pair(1000, "use a newer srlm"), std::pair(1, "begin a new run")}) {
    {
      const auto database = Database::Open(run_ + "/ledger.sqlite", Database::Mode::kOwn);
      ASSERT_TRUE((*database)->Execute("PRAGMA user_version = " + std::to_string(version)).ok());
    }
    for (const Status& status : {Ledger::Open(run_).status(), Ledger::OpenReadOnly(run_).status()}) {
      EXPECT_EQ(status.code(), Code::kFailedPrecondition);
      EXPECT_NE(status.message().find(words), std::string::npos) << status.message();
    }
  }
}

TEST_F(LedgerTest, ALedgerOfAnEarlierVersionIsBroughtForwardAndACopyKept) {
  {
    const auto ledger = OpenOrDie(run_);
    ASSERT_TRUE(ledger->SetFact("kept", "yes").ok());
    ASSERT_TRUE(ledger->Commit().ok());
    ASSERT_TRUE(
        ledger->database()
            .Execute("DROP TABLE meta_votes; DROP TABLE judge_pairs; DROP TABLE meta_counts; DROP TABLE "
                     "likelihoods; CREATE TABLE likelihoods (round INTEGER, position INTEGER, sample INTEGER, "
                     "model_id TEXT NOT NULL, logprob REAL, reason TEXT NOT NULL, PRIMARY KEY (round, "
                     "position, sample)); INSERT INTO likelihoods VALUES (2, 4, 1, 'id', -3.5, ''); ALTER TABLE "
                     "round_counts DROP COLUMN log_ratio_sum; ALTER TABLE round_counts DROP COLUMN log_ratios; ALTER "
                     "TABLE jobs DROP COLUMN selected_step; INSERT INTO jobs (job_id, kind, round, state, "
                     "tries, output_model, rows, step, total_steps, tokens, seconds, message) VALUES ('dpo-1', "
                     "'dpo', 1, 'done', 1, 'M2', 3, 2, 2, 9, 1, ''); PRAGMA user_version = 3")
            .ok());
  }
  EXPECT_EQ(Ledger::OpenReadOnly(run_).status().code(), Code::kFailedPrecondition);
  const auto ledger = OpenOrDie(run_);
  EXPECT_EQ(*ledger->Fact("kept"), "yes");
  const auto likelihoods = *ledger->LikelihoodsOf(2, 4);
  ASSERT_EQ(likelihoods.size(), 1u);
  EXPECT_EQ(likelihoods[0].model, "M1");
  EXPECT_EQ(likelihoods[0].logprob, -3.5);
  EXPECT_EQ((*ledger->Job("dpo-1"))->selected_step, -1);
  MetaVoteRow row;
  row.second = 1;
  EXPECT_TRUE(*ledger->AddMetaVote(row));
  EXPECT_FALSE(*ledger->AddMetaVote(row));
  std::swap(row.first, row.second);
  EXPECT_TRUE(*ledger->AddMetaVote(row));
  EXPECT_TRUE(std::filesystem::exists(run_ + "/ledger.sqlite.v3"));
}

TEST_F(LedgerTest, AFileThatIsNoLedgerIsDataLoss) {
  FILE* file = std::fopen((run_ + "/ledger.sqlite").c_str(), "w");
  for (int i = 0; i < 500; ++i) std::fputs("not a database ", file);
  std::fclose(file);
  EXPECT_EQ(Ledger::Open(run_).status().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace srlm::ledger
