// What a round trains on: its own pairs, and a share of the earlier ones without values of another reference.
#include "coordinator/rounds/training_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/coordinator/ledger/run_folder.h"

namespace srlm::rounds {
namespace {

class TrainingRowsTest : public ledger::RunFolderTest {
 protected:
  void SetUp() override {
    RunFolderTest::SetUp();
    ledger_ = std::move(*ledger::Ledger::Open(run_));
    for (int round = 1; round <= 3; ++round)
      ASSERT_TRUE(*ledger_->AddModel({fmt::format("M{}", round), fmt::format("id{}", round), "models", "job"}));
    AddPairs(1, 40);
    AddPairs(2, 20);
    AddPairs(3, 10);
  }

  // Prompts with one pair each, and one without.
  void AddPairs(int round, int pairs) {
    for (int position = 0; position <= pairs; ++position) {
      const std::string id = fmt::format("{}-{}", round, position);
      ASSERT_TRUE(
          *ledger_->AddPrompt({round, position, id, false, data::PromptInput::FromUser(id), {1, 2}, "answered", ""}));
      for (int sample = 0; sample < 2; ++sample) {
        ledger::CandidateRow row{.round = round, .position = position, .sample = sample, .prompt_id = id};
        row.model_id = fmt::format("id{}", round);
        row.logprob = -round - sample;
        row.token_ids = {sample + 3};
        ASSERT_TRUE(*ledger_->AddCandidate(row));
      }
      ledger::PairRow pair{.round = round, .position = position, .prompt_id = id};
      if (position < pairs) {
        pair.chosen_sample = 1;
        pair.rejected_sample = 0;
      }
      ASSERT_TRUE(*ledger_->AddPair(pair));
    }
  }

  std::vector<data::PreferenceRow> Rows(int round) {
    std::vector<data::PreferenceRow> rows;
    const Status status = ForEachPreference(config_, *ledger_, round, [&](const data::PreferenceRow& row) {
      rows.push_back(row);
      return OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return rows;
  }

  config::RunConfig config_;
  std::unique_ptr<ledger::Ledger> ledger_;
};

TEST_F(TrainingRowsTest, WithoutAShareARoundTrainsOnItsOwnPairs) {
  const auto rows = Rows(2);
  ASSERT_EQ(rows.size(), 20u);
  EXPECT_EQ(rows[3].prompt_id, "2-3");
  EXPECT_EQ(rows[3].chosen_token_ids, std::vector<int>{4});
  EXPECT_EQ(rows[3].reference_chosen_logp, -3.0);
  EXPECT_EQ(rows[3].reference_rejected_logp, -2.0);
}

TEST_F(TrainingRowsTest, TheShareIsOfAllRowsAndEarlierOnesHaveNoReferenceValues) {
  config_.pairs.earlier_share = 1.0 / 3;
  const auto rows = Rows(3);  // 10 of its own: a third of 15
  ASSERT_EQ(rows.size(), 15u);
  std::set<std::string> earlier;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool own = rows[i].prompt_id.starts_with("3-");
    EXPECT_EQ(own, i < 10) << rows[i].prompt_id;
    EXPECT_EQ(rows[i].reference_chosen_logp.has_value(), own);
    EXPECT_EQ(rows[i].reference_rejected_logp.has_value(), own);
    if (!own) earlier.insert(rows[i].prompt_id);
  }
  EXPECT_EQ(earlier.size(), 5u);
}

TEST_F(TrainingRowsTest, TheDrawIsTheSeedsAndTheRoundsAlone) {
  config_.pairs.earlier_share = 0.5;
  const auto once = *EarlierPairs(config_, *ledger_, 3, 10);
  EXPECT_EQ(once, *EarlierPairs(config_, *ledger_, 3, 10));
  EXPECT_TRUE(std::ranges::is_sorted(once));
  EXPECT_EQ(once.size(), 10u);
  std::set<ledger::PairKey> drawn;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    config_.seed = seed;
    const auto keys = *EarlierPairs(config_, *ledger_, 3, 10);
    EXPECT_EQ(std::set(keys.begin(), keys.end()).size(), 10u);
    drawn.insert(keys.begin(), keys.end());
  }
  EXPECT_EQ(drawn.size(), 60u);  // each pair of both rounds comes up
}

TEST_F(TrainingRowsTest, WithTooFewEarlierOnesAllAreTaken) {
  config_.pairs.earlier_share = 0.9;
  EXPECT_EQ(Rows(1).size(), 40u);
  EXPECT_EQ(Rows(3).size(), 70u);
}

TEST_F(TrainingRowsTest, CreamsLabelIsTheMeanConsistencyOfThePairsRound) {
  config_.pairs.soft_labels = config::SoftLabels::kCream;
  config_.pairs.earlier_share = 0.9;
  for (int round = 1; round <= 3; ++round) {
    ledger::RoundCounts counts{.round = round, .votes = {}};
    counts.consistency_sum = 1.5 * round;
    counts.consistencies = 6;
    ASSERT_TRUE(ledger_->SetCounts(counts).ok());
  }
  for (const data::PreferenceRow& row : Rows(3)) EXPECT_EQ(row.chosen_probability, 0.25 * (row.prompt_id[0] - '0'));
  config_.pairs.soft_labels = config::SoftLabels::kNone;
  for (const data::PreferenceRow& row : Rows(3)) EXPECT_FALSE(row.chosen_probability.has_value());
}

TEST_F(TrainingRowsTest, GoodAnswersAreRowsOfSft) {
  std::vector<data::SftRow> rows;
  ASSERT_TRUE(ForEachGood(*ledger_, 2, [&](const data::SftRow& row) {
                rows.push_back(row);
                return OkStatus();
              }).ok());
  ASSERT_EQ(rows.size(), 20u);
  EXPECT_EQ(rows[7].prompt.messages.at(0).content, "2-7");
  EXPECT_EQ(rows[7].prompt_token_ids, (std::vector<int>{1, 2}));
  EXPECT_EQ(rows[7].completion_token_ids, std::vector<int>{4});
}

}  // namespace
}  // namespace srlm::rounds
