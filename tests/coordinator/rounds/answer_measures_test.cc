// What a run says of its models' own answers, against what its rows say; and what becomes of answers, comparisons and
// held-out answers that cannot be had.
#include "coordinator/rounds/answer_measures.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "coordinator/rounds/coordinator.h"
#include "tests/coordinator/rounds/fake_run.h"

namespace srlm::rounds {
namespace {

constexpr int kPrompts = 4;
constexpr int kHeldOut = 3;

class AnswerMeasuresTest : public FakeRunTest {
 protected:
  void SetUp() override {
    FakeRunTest::SetUp();
    std::string prompts, held_out;
    for (int i = 0; i < kPrompts; ++i)
      prompts += fmt::format(R"({{"prompt_id": "v{0}", "prompt": "Measure {0} of it."}})"
                             "\n",
                             i);
    for (int i = 0; i < kHeldOut; ++i)
      held_out += fmt::format(R"({{"prompt": "Hold {0} out.", "completion": "Held {0}."}})"
                              "\n",
                              i);
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/measured.jsonl", prompts).ok());
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/held_out.jsonl", held_out).ok());
  }
  void Measure(const std::vector<std::string>& more) {
    std::vector<std::string> all = {"data.evaluation_prompts=measured.jsonl", "data.held_out=held_out.jsonl"};
    all.insert(all.end(), more.begin(), more.end());
    RunToEnd(Config(all), RunDir());
  }
  nlohmann::json Figures(const std::string& model) {
    const auto metrics = *Open(RunDir())->Evaluation(model);
    EXPECT_TRUE(metrics.has_value()) << model;
    return metrics ? nlohmann::json::parse(*metrics) : nlohmann::json();
  }
};

TEST_F(AnswerMeasuresTest, AJudgeThatAlwaysPrefersAPlaceMakesTiesAndFlips) {
  groups_.comparison = [](uint64_t) { return "Verdict: [[A]]"; };
  Measure({"evaluation.comparison=sampled", "evaluation.comparison_votes=2"});
  for (const std::string model : {"M1", "M2"}) {
    const nlohmann::json figures = Figures(model).at("head_to_head");
    EXPECT_EQ(figures.at("tie").at("value"), 1) << model;
    EXPECT_EQ(figures.at("win_rate").at("value"), 0.5) << model;
    EXPECT_EQ(figures.at("flipped").at("value"), 1) << model;
    EXPECT_EQ(figures.at("prefers_first").at("value"), 1) << model;
    EXPECT_EQ(Figures(model).at("comparison_parse_rate").at("n"), 2 * 2 * kPrompts) << model;
  }
}

TEST_F(AnswerMeasuresTest, VotesThatSayNothingAreCountedAndDecideNothing) {
  groups_.comparison = [](uint64_t) { return "I cannot say."; };
  Measure({"evaluation.comparison=sampled", "judge.min_parse_rate=0"});
  const nlohmann::json figures = Figures("M2");
  EXPECT_EQ(figures.at("comparison_parse_rate").at("value"), 0);
  EXPECT_EQ(figures.at("head_to_head").at("judged").at("value"), 0);
  EXPECT_EQ(figures.at("head_to_head").at("win").at("n"), 0);
  EXPECT_EQ(Open(RunDir())->UnreadComparisons("M2", 2)->size(), 2u);
}

TEST_F(AnswerMeasuresTest, WhatCannotBeDoneIsSetAsideAlone) {
  groups_.refuses = [](const std::string& id) {
    return id == "M1/evaluation_answer/0" || id == "M2/comparison/M1/1/backward" || id == "M2/held_out/2";
  };
  Measure({});
  const auto ledger = Open(RunDir());
  EXPECT_FALSE((*ledger->EvaluationAnswer("M1", 0))->reason.empty());
  EXPECT_EQ(Figures("M1").at("answers_given").at("failed"), 1);
  // M1's missing answer is compared with neither neighbour's.
  for (const auto& [model, other] : {std::pair("M1", "M0"), {"M2", "M1"}}) {
    const auto rows = *ledger->Comparisons(model, other);
    EXPECT_EQ(rows.size(), 2u * (kPrompts - 1)) << model;
    for (const ledger::ComparisonRow& row : rows) {
      EXPECT_NE(row.prompt, 0);
      EXPECT_EQ(row.state == "failed", model == std::string("M2") && row.prompt == 1 && row.backward);
    }
  }
  EXPECT_EQ(Figures("M1").at("head_to_head").at("comparisons"), kPrompts - 1);
  EXPECT_EQ(Figures("M2").at("held_out").at("failed"), 1);
  EXPECT_EQ(Figures("M2").at("held_out").at("logprob_per_token").at("n"), kHeldOut - 1);
  EXPECT_EQ(Figures("M1").at("held_out").at("failed"), 0);
}

}  // namespace
}  // namespace srlm::rounds
