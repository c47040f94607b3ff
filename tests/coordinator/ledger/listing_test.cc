#include "coordinator/ledger/listing.h"

#include <nlohmann/json.hpp>

#include "coordinator/ledger/round_summary.h"
#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::ledger {
namespace {

// A round of three prompts: a pair, a tie, and one whose votes could not be read.
class ListingTest : public RunFolderTest {
 protected:
  void SetUp() override {
    RunFolderTest::SetUp();
    ledger_ = *Ledger::Open(run_);
    ASSERT_TRUE(ledger_->SetRound({0, 1, 2, true, true}).ok());
    ASSERT_TRUE(ledger_->SetRound({1, 3, 0, true, true}).ok());
    ASSERT_TRUE(*ledger_->AddModel({"M1", "id1", "models/M1", "sft"}));
    AddPrompt("zebra", 0, {4, 1}, "paired");
    AddPrompt("ant", 1, {3, 3}, "tie");
    AddPrompt("mole", 2, {-1, -1}, "too_few_candidates");
    ASSERT_TRUE(ledger_->SetCounts(counts_).ok());
  }

  void AddPrompt(const std::string& id, int position, std::vector<int> scores, const std::string& outcome) {
    ASSERT_TRUE(
        *ledger_->AddPrompt({1, position, id, position == 2, data::PromptInput::FromUser(id), {1}, "open", ""}));
    for (int sample = 0; sample < 2; ++sample) {
      CandidateRow candidate;
      candidate.round = 1;
      candidate.position = position;
      candidate.prompt_id = id;
      candidate.sample = sample;
      candidate.text = id + std::to_string(sample);
      candidate.token_ids = {1, 2, 3};
      const int score = scores[static_cast<size_t>(sample)];
      if (score >= 0) candidate.score = score;
      candidate.use = score >= 0 ? "between" : "unscored";
      ASSERT_TRUE(*ledger_->AddCandidate(candidate));
      VoteRow vote;
      vote.round = 1;
      vote.position = position;
      vote.sample = sample;
      vote.state = score >= 0 ? "parsed" : "absent";
      vote.score = candidate.score;
      ASSERT_TRUE(*ledger_->AddVote(vote));
      ++counts_.candidates;
      counts_.tokens += 3;
      counts_.votes.Add({id, {*data::VerdictStateFromName(vote.state)}, {vote.score}, 6}, {});
    }
    PairRow pair;
    pair.round = 1;
    pair.position = position;
    pair.prompt_id = id;
    pair.outcome = outcome;
    if (outcome == "paired") {
      pair.chosen_sample = 0;
      pair.rejected_sample = 1;
      pair.chosen_score = scores[0];
      pair.rejected_score = scores[1];
    }
    ASSERT_TRUE(*ledger_->AddPair(pair));
    ++counts_.prompts;
    counts_.new_prompts += position == 2;
    counts_.pairs += outcome == "paired";
    counts_.ties += outcome == "tie";
  }

  std::unique_ptr<Ledger> ledger_;
  RoundCounts counts_{.round = 1, .votes = {}};
};

TEST_F(ListingTest, AttemptsFollowThePromptsWithinTheSamePages) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    AttemptRow row;
    row.round = 1;
    row.attempt = attempt;
    constexpr const char* kStates[] = {"rejected", "accepted", "surplus", "accepted", "failed"};
    row.state = kStates[attempt];
    ASSERT_TRUE(*ledger_->AddAttempt(row));
  }
  std::vector<std::string> rows;
  std::string token;
  do {
    const auto page = List(*ledger_, "prompts", 1, 2, token);
    ASSERT_TRUE(page.ok()) << page.status().message();
    ASSERT_LE(page->rows.size(), 2u);
    for (const auto& row : page->rows)
      rows.push_back(row.contains("prompt_id") ? row["prompt_id"].get<std::string>() : row["attempt"].dump());
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(rows, (std::vector<std::string>{"zebra", "ant", "mole", "0", "2", "4"}));
}

TEST_F(ListingTest, RowsComeInTheOrderOfPromptsPageByPage) {
  std::vector<std::string> texts;
  std::string token;
  do {
    const auto page = List(*ledger_, "candidates", 1, 4, token);
    ASSERT_TRUE(page.ok()) << page.status().message();
    for (const auto& row : page->rows) texts.push_back(row["text"]);
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(texts, (std::vector<std::string>{"zebra0", "zebra1", "ant0", "ant1", "mole0", "mole1"}));
}

TEST_F(ListingTest, CandidatesCarryTheirVotesAndUnknownScoresAreNull) {
  const auto page = List(*ledger_, "candidates", 0, 0, "");
  EXPECT_EQ(page->rows[0]["votes"][0]["score"], 4);
  EXPECT_TRUE(page->rows[4]["score"].is_null());
  EXPECT_EQ(page->rows[4]["votes"][0]["state"], "absent");
}

TEST_F(ListingTest, PairsCarryBothTexts) {
  const auto page = List(*ledger_, "pairs", 1, 0, "");
  ASSERT_EQ(page->rows.size(), 3u);
  EXPECT_EQ(page->rows[0]["chosen"], "zebra0");
  EXPECT_EQ(page->rows[0]["rejected"], "zebra1");
  EXPECT_EQ(page->rows[1]["outcome"], "tie");
  EXPECT_FALSE(page->rows[1].contains("chosen"));
}

TEST_F(ListingTest, UnknownTablesAndTokensAreRefused) {
  EXPECT_EQ(List(*ledger_, "nothing", 0, 0, "").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(List(*ledger_, "pairs", 0, 0, "x").status().code(), Code::kInvalidArgument);
}

TEST_F(ListingTest, TheTableOfRoundsCountsWhatIsThere) {
  JobRow job;
  job.job_id = "dpo-1";
  job.round = 1;
  job.loss = 0.5;
  ASSERT_TRUE(ledger_->SetJob(job).ok());
  ASSERT_TRUE(
      ledger_->SetEvaluation("M1", R"({"pairwise_accuracy": {"value": 0.75, "n": 8, "low": 0.5, "high": 1}})").ok());
  const auto rounds = SummariseRounds(*ledger_);
  ASSERT_TRUE(rounds.ok()) << rounds.status().message();
  ASSERT_EQ(rounds->size(), 2u);
  EXPECT_EQ((*rounds)[0].model(), "M1");
  EXPECT_EQ((*rounds)[0].model_id(), "id1");
  EXPECT_EQ((*rounds)[0].judge().pairwise_accuracy().value(), 0.75);
  const v1::RoundSummary& round = (*rounds)[1];
  EXPECT_EQ(round.prompts(), 3u);
  EXPECT_EQ(round.new_prompts(), 1u);
  EXPECT_EQ(round.candidates(), 6u);
  EXPECT_EQ(round.votes(), 6u);
  EXPECT_EQ(round.pairs(), 1u);
  EXPECT_EQ(round.ties(), 1u);
  EXPECT_EQ(round.unscored(), 2u);
  EXPECT_DOUBLE_EQ(round.parse_rate(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(round.mean_score(), 11.0 / 4);
  EXPECT_DOUBLE_EQ(round.mean_length(), 3);
  EXPECT_EQ(round.loss(), 0.5);
  EXPECT_FALSE(round.has_margin());
  EXPECT_FALSE(round.has_judge());
}

}  // namespace
}  // namespace srlm::ledger
