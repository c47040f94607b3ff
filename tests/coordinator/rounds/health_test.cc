// What a run does when a round's figures are beyond the limits of health.rules, or a round has nothing to train on.
#include "coordinator/rounds/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/config/health_rule.h"
#include "coordinator/ledger/round_health.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/fake_run.h"

namespace srlm::rounds {
namespace {

class HealthTest : public FakeRunTest {
 protected:
  RunEnd EndWith(const std::vector<std::string>& more) {
    const auto end = RunOnce(Config(more), RunDir());
    EXPECT_TRUE(end.ok()) << end.status().message();
    return end.ok() ? *end : RunEnd::kStopped;
  }
  std::vector<std::string> Warnings() {
    std::vector<std::string> warnings;
    const auto events = Open(RunDir())->Events(0, 0, 1000);
    for (const ledger::EventRow& row : *events)
      if (row.event == "health") warnings.push_back(row.message);
    return warnings;
  }
  bool Says(const std::string& part) const { return status_.message().find(part) != std::string::npos; }
};

TEST_F(HealthTest, EveryFigureIsKnownByItsNameAndIsWhatTheRowsSay) {
  EXPECT_EQ(EndWith({"health.rules=[]", "health.kl_prompts=3"}), RunEnd::kDone);
  const auto ledger = Open(RunDir());
  auto figures = *ledger::RoundHealth(*ledger, 1);
  for (const std::string_view figure : config::HealthFigures()) {
    if (figure == "order_flip_rate" || figure.starts_with("meta_")) continue;  // answer_measures_test, meta_judge_test
    EXPECT_TRUE(figures.contains(std::string(figure))) << figure;
    figures.erase(std::string(figure));
  }
  EXPECT_TRUE(figures.empty()) << figures.begin()->first << " is not among config::HealthFigures";

  figures = *ledger::RoundHealth(*ledger, 1);
  std::map<int, double> of_score;
  double votes = 0;
  const auto rows = ledger->Votes(1);
  for (const ledger::VoteRow& row : *rows) {
    ++votes;
    ++of_score[static_cast<int>(*row.score)];
  }
  for (int score = 0; score <= 5; ++score)
    EXPECT_NEAR(figures[fmt::format("score_{}", score)], of_score[score] / votes, 1e-12);
  EXPECT_EQ(figures["parse_rate"], 1);
  EXPECT_EQ(figures["unscored_rate"], 0);
  EXPECT_EQ(figures["length_drift"], 1);                 // round 1 against itself
  EXPECT_NEAR(figures["chosen_logp_change"], -5, 1e-9);  // the rewards that trainers report, over beta
  EXPECT_NEAR(figures["rejected_logp_change"], -15, 1e-9);
  EXPECT_EQ(figures["duplicate_rate"], 0);
  double log_ratios = 0;
  for (int position = 0; position < 3; ++position) {
    const auto values = *ledger->LikelihoodsOf(1, position);
    ASSERT_EQ(values.size(), 1u);  // of its first candidate alone
    EXPECT_EQ(values[0].model, "M0");
    log_ratios += (*ledger->Candidate(1, position, 0))->logprob - *values[0].logprob;
  }
  EXPECT_NEAR(figures["kl_from_m0"], log_ratios / 3, 1e-9);
  EXPECT_TRUE(ledger->LikelihoodsOf(1, 3)->empty());
  const auto first = *ledger::RoundHealth(*ledger, 0);  // of M1: it was only measured
  EXPECT_TRUE(first.contains("judge_accuracy"));
  EXPECT_EQ(first.at("judge_accuracy_change"), 0);
  EXPECT_FALSE(first.contains("tie_rate"));
  EXPECT_TRUE(Warnings().empty());
  ASSERT_EQ(status_.rounds_size(), 2);
  EXPECT_EQ(status_.rounds(1).health().at("score_5"), figures["score_5"]);
}

TEST_F(HealthTest, AWarningIsNotedOnceAndTheRunGoesOn) {
  const std::vector<std::string> more = {"health.rules=['mean_score < 6: warn', 'parse_rate < 0.5: stop']"};
  EXPECT_EQ(EndWith(more), RunEnd::kDone);
  ASSERT_EQ(Warnings().size(), 1u);
  EXPECT_NE(Warnings()[0].find("round 1: mean_score is"), std::string::npos) << Warnings()[0];
  EXPECT_EQ(EndWith(more), RunEnd::kDone);  // again, by a coordinator that remembers nothing
  EXPECT_EQ(Warnings().size(), 1u);
}

TEST_F(HealthTest, APauseKeepsAllAndTheRunGoesOnWhenTheRuleIsChanged) {
  EXPECT_EQ(EndWith({"health.rules=['tie_rate > -1: pause']"}), RunEnd::kPaused);
  EXPECT_TRUE(Says("round 1: tie_rate is") && Says("health.rules")) << status_.message();
  EXPECT_EQ(status_.state(), "paused");
  EXPECT_EQ(groups_.trainers, 1);  // it did not train on the round
  EXPECT_EQ(Open(RunDir())->Candidates(1)->size(), 15u);
  EXPECT_EQ(EndWith({"health.rules=['tie_rate > -1: pause']"}), RunEnd::kPaused);  // nothing has changed
  EXPECT_EQ(EndWith({"health.rules=['tie_rate > 1: pause']"}), RunEnd::kDone);
  EXPECT_EQ(groups_.trainers, 2);
  EXPECT_EQ(Open(RunDir())->Candidates(1)->size(), 15u);
}

TEST_F(HealthTest, TheSeverestOfTheBrokenRulesDecidesAndWithAllAsWarningsTheRunGoesOn) {
  const std::string rules =
      "health.rules=['mean_score < 6: warn', 'tie_rate > -1: pause', 'parse_rate < 0.1: pause', 'score_5 > -1: stop']";
  EXPECT_EQ(EndWith({rules}), RunEnd::kEnded);
  EXPECT_TRUE(Says("round 1: score_5 is") && Says("The run ends")) << status_.message();
  EXPECT_EQ(Warnings().size(), 3u);  // each that is broken is noted
  ASSERT_EQ(
      goes_on_with_,
      R"(health.rules=["mean_score < 6: warn","tie_rate > -1: warn","parse_rate < 0.1: pause","score_5 > -1: warn"])");
  EXPECT_TRUE(Says("--set '" + *goes_on_with_ + "'")) << status_.message();
  EXPECT_EQ(EndWith({rules, *goes_on_with_}), RunEnd::kDone);
  EXPECT_EQ(goes_on_with_, std::nullopt);
}

TEST_F(HealthTest, ARuleThatEndsTheRunComesBeforeACheckThatOnlyPausesIt) {
  groups_.judgement = [](uint64_t) { return "Score: 3"; };
  EXPECT_EQ(EndWith({"health.rules=['tie_rate > 0.9: stop']"}), RunEnd::kEnded);
  EXPECT_TRUE(Says("round 1: tie_rate is 1")) << status_.message();
  EXPECT_EQ(EndWith({"health.rules=['tie_rate > 0.9: pause']"}), RunEnd::kPaused);
  EXPECT_TRUE(Says("round 1: all 5 prompts ended in ties")) << status_.message();
  EXPECT_EQ(goes_on_with_, "");  // no override makes such a round teach
}

TEST_F(HealthTest, AStopEndsTheRunAndNamesTheBestModel) {
  EXPECT_EQ(EndWith({"health.rules=['judge_accuracy < 2: warn', 'chosen_logp_change > -1000: stop']"}), RunEnd::kEnded);
  EXPECT_EQ(status_.state(), "ended");
  EXPECT_TRUE(Says("its best model is M1 (models/M1): pairwise accuracy")) << status_.message();  // M2's is equal
  EXPECT_EQ(*Open(RunDir())->Fact("state"), "ended");
  EXPECT_TRUE(std::filesystem::exists(RunDir() + "/models/M1/config.json"));
  EXPECT_TRUE(std::filesystem::exists(RunDir() + "/models/M2/config.json"));
  EXPECT_EQ(EndWith({"health.rules=[]"}), RunEnd::kDone);
}

TEST_F(HealthTest, WithoutAMeasureTheBestModelIsTheLastBeforeTheRuleWasBroken) {
  EXPECT_EQ(EndWith({"data.evaluation=''", "run.iterations=2", "health.rules=['chosen_logp_change > -1000: stop']"}),
            RunEnd::kEnded);
  EXPECT_TRUE(Says("its best model is M1 (models/M1)")) << status_.message();
  EXPECT_EQ(groups_.trainers, 2);  // M3 was not made
}

TEST_F(HealthTest, AJudgeThatNeverAnswersIsShownWithItsFirstFiveWords) {
  groups_.judgement = [](uint64_t key) { return fmt::format("I like it,\n{} times.", key % 10000); };
  EXPECT_EQ(EndWith({"data.evaluation=''"}), RunEnd::kPaused);
  EXPECT_TRUE(Says("0 % of 30 sampled votes")) << status_.message();
  const auto ledger = Open(RunDir());
  const auto votes = *ledger->Votes(1);
  ASSERT_EQ(votes.size(), 30u);
  for (size_t i = 0; i < 5; ++i) {
    const std::string text = fmt::format("\n  vote {}: {}", i + 1, nlohmann::json(votes[i].text).dump());
    EXPECT_TRUE(Says(text)) << text << " is not in " << status_.message();
  }
  EXPECT_EQ(std::ranges::count(status_.message(), '\n'), 5);
  EXPECT_EQ(*ledger->Fact("message"), status_.message());  // for who comes later
}

TEST_F(HealthTest, TheFixedAnswersShowAJudgeThatNeverAnswersToo) {
  groups_.judgement = [](uint64_t) { return std::string(1000, 'x'); };
  EXPECT_EQ(EndWith({}), RunEnd::kPaused);
  EXPECT_TRUE(Says("M1 on answers it was not trained on")) << status_.message();
  EXPECT_TRUE(Says("\n  vote 1: \"" + std::string(300, 'x') + "\" ...")) << status_.message();
  EXPECT_EQ(std::ranges::count(status_.message(), '\n'), 4);  // there are four
}

TEST_F(HealthTest, ARoundOfTiesPausesTheRunAndSaysSo) {
  groups_.judgement = [](uint64_t) { return "Score: 3"; };
  EXPECT_EQ(EndWith({}), RunEnd::kPaused);
  EXPECT_TRUE(Says("round 1: all 5 prompts ended in ties")) << status_.message();
  EXPECT_EQ(Open(RunDir())->Votes(1)->size(), 30u);
}

TEST_F(HealthTest, ARoundWhoseAnswersAreAllCutSaysWhatCutThem) {
  groups_.cuts = [](uint64_t) { return true; };
  EXPECT_EQ(EndWith({}), RunEnd::kPaused);
  EXPECT_TRUE(Says("round 1: no answer is left to judge: 15 of 15 answers were cut at generation.max_new_tokens: 12"))
      << status_.message();
  EXPECT_TRUE(Says("generation.cut_candidates: keep")) << status_.message();
  EXPECT_FALSE(Says("prompts.per_round")) << status_.message();
}

TEST_F(HealthTest, TooFewPairsOfWhatWasNotCutSaysHowManyWere) {
  groups_.cuts = [](uint64_t key) { return key % 8 != 0; };
  EXPECT_EQ(EndWith({"pairs.min_pairs_per_round=5"}), RunEnd::kPaused);
  EXPECT_TRUE(Says("asks for 5") && Says("of 15 answers were cut at generation.max_new_tokens: 12"))
      << status_.message();
}

TEST_F(HealthTest, ARoundThatTheFiltersLeftEmptyPausesTheRunAndSaysWhy) {
  EXPECT_EQ(EndWith({"prompts.new_per_round=5", "prompts.min_words=40"}), RunEnd::kPaused);
  EXPECT_TRUE(Says("round 1: no prompt is left to answer")) << status_.message();
  EXPECT_TRUE(Says("20 too_short")) << status_.message();  // 4 attempts for each of 5
  EXPECT_EQ(groups_.trainers, 1);
}

}  // namespace
}  // namespace srlm::rounds
