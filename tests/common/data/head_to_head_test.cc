#include "common/data/head_to_head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/random.h"
#include "common/data/length_control.h"

namespace srlm::data {
namespace {

const OrderVerdict kFirst{PairVerdict::kA, 0.8}, kSecond{PairVerdict::kB, 0.4};

TEST(HeadToHead, CountedByHand) {
  const std::vector<ComparedAnswers> compared = {
      {"p", kFirst, kSecond, 130, 100},  // won, lengths match, the longer won
      {"p", kSecond, kFirst, 300, 100},  // lost, the shorter won
      {"q", kFirst, kFirst, 50, 50},     // flipped: a tie
      {"r", kFirst, {}, 10, 90},         // not judged
  };
  const HeadToHead result = ComputeHeadToHead(compared, 1, 200);
  EXPECT_EQ(result.prompts, 3);
  EXPECT_EQ(result.comparisons, 4);
  EXPECT_DOUBLE_EQ(result.judged.value, 0.75);
  for (const Figure* figure : {&result.win, &result.tie, &result.lose}) {
    EXPECT_EQ(figure->n, 3);
    EXPECT_DOUBLE_EQ(figure->value, 1.0 / 3);
  }
  EXPECT_DOUBLE_EQ(result.win_rate.value, 0.5);
  EXPECT_DOUBLE_EQ(result.win_rate_length_matched.value, 0.75);
  EXPECT_EQ(result.win_rate_length_matched.n, 2);
  EXPECT_DOUBLE_EQ(result.flipped.value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(result.longer_wins.value, 0.5);
  EXPECT_EQ(result.longer_wins.n, 2);
  EXPECT_NEAR(result.preference.value, (0.7 + 0.3 + 0.5) / 3, 1e-12);
  EXPECT_NEAR(result.prefers_first.value, (0.6 + 0.6 + 0.8) / 3, 1e-12);
  EXPECT_DOUBLE_EQ(result.characters_x.value, 490.0 / 4);
}

TEST(HeadToHead, TheOtherSideSeesTheMirrorImage) {
  std::vector<ComparedAnswers> compared, mirrored;
  const RandomStream stream(7, {});
  for (int i = 0; i < 200; ++i) {
    const auto draw = [&](int k) { return stream.Uniform(static_cast<uint64_t>(4 * i + k)); };
    const auto order = [](double p) { return OrderVerdict{p > 0.5 ? PairVerdict::kA : PairVerdict::kB, p}; };
    const OrderVerdict forward = order(draw(0)), backward = order(draw(1));
    const auto x = static_cast<int64_t>(100 * draw(2)), y = static_cast<int64_t>(100 * draw(3));
    compared.push_back({std::to_string(i), forward, backward, x, y});
    mirrored.push_back({std::to_string(i), backward, forward, y, x});
  }
  const HeadToHead there = ComputeHeadToHead(compared, 1, 50), back = ComputeHeadToHead(mirrored, 1, 50);
  EXPECT_NEAR(there.win_rate.value, 1 - back.win_rate.value, 1e-12);
  EXPECT_NEAR(there.win_rate.low, 1 - back.win_rate.high, 1e-12);
  EXPECT_NEAR(there.preference.value, 1 - back.preference.value, 1e-12);
  EXPECT_NEAR(there.win_rate_length_controlled.value, 1 - back.win_rate_length_controlled.value, 1e-6);
  EXPECT_DOUBLE_EQ(there.prefers_first.value, back.prefers_first.value);
}

TEST(HeadToHead, AnIntervalDrawsWholePrompts) {
  // 20 answers of one prompt that agree say as much as one.
  std::vector<ComparedAnswers> few, many;
  for (int prompt = 0; prompt < 10; ++prompt)
    for (int sample = 0; sample < 20; ++sample) {
      const ComparedAnswers one = prompt % 2 == 0 ? ComparedAnswers{std::to_string(prompt), kFirst, kSecond, 5, 5}
                                                  : ComparedAnswers{std::to_string(prompt), kSecond, kFirst, 5, 5};
      many.push_back(one);
      if (sample == 0) few.push_back(one);
    }
  const Figure a = ComputeHeadToHead(few, 1).win_rate, b = ComputeHeadToHead(many, 1).win_rate;
  EXPECT_NEAR(a.low, b.low, 1e-9);
  EXPECT_NEAR(a.high, b.high, 1e-9);
  EXPECT_LT(a.low, 0.3);
}

TEST(HeadToHead, WithoutVerdictsThereAreNoFigures) {
  const std::vector<ComparedAnswers> compared = {{"p", {}, kFirst, 1, 2}};
  const auto json = ToJson(ComputeHeadToHead(compared, 1, 10));
  EXPECT_EQ(json["win_rate"]["n"], 0);
  EXPECT_TRUE(json["win_rate_length_controlled"]["value"].is_null());
  EXPECT_EQ(json["judged"]["value"], 0);
  EXPECT_EQ(ComputeHeadToHead({}, 1).comparisons, 0);
}

TEST(LengthControl, AJudgeThatFollowsLengthAloneHasNoWinsLeft) {
  // x is longer in 3 of 4 comparisons, and the longer one wins with probability 0.9.
  std::vector<LengthOutcome> outcomes;
  const RandomStream stream(3, {});
  double raw = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    const double longer_by = (i % 4 == 0 ? -1.0 : 1.0) * (50 + 50 * stream.Uniform(2 * i));
    const bool longer_won = stream.Uniform(2 * i + 1) < 0.9;
    outcomes.push_back({(longer_by > 0) == longer_won ? 1.0 : 0.0, longer_by});
    raw += outcomes.back().win / 4000;
  }
  EXPECT_GT(raw, 0.68);
  EXPECT_NEAR(*LengthControlledWinRate(outcomes), 0.5, 0.03);
}

TEST(LengthControl, FindsTheParametersThatMadeTheOutcomes) {
  std::vector<LengthOutcome> outcomes;
  double squares = 0;
  const RandomStream stream(5, {});
  const auto length = [&](uint64_t i) { return 400 * (stream.Uniform(i) - 0.4); };
  constexpr uint64_t kCount = 20000;
  for (uint64_t i = 0; i < kCount; ++i) squares += length(i) * length(i) / kCount;
  for (uint64_t i = 0; i < kCount; ++i) {
    const double z = 0.4 + 1.5 * std::tanh(length(i) / std::sqrt(squares));
    outcomes.push_back({1 / (1 + std::exp(-z)), length(i)});  // expected outcomes: no noise
  }
  EXPECT_NEAR(*LengthControlledWinRate(outcomes), 1 / (1 + std::exp(-0.4)), 1e-3);
}

TEST(LengthControl, OneSidedOutcomesStayFinite) {
  const std::vector<LengthOutcome> won = {{1, 5}, {1, -3}}, equal = {{1, 0}, {0.5, 0}},
                                   split = {{1, 5}, {1, 6}, {0, -5}, {0, -6}};
  EXPECT_EQ(LengthControlledWinRate(won), 1);
  EXPECT_EQ(LengthControlledWinRate(equal), 0.75);
  EXPECT_NEAR(*LengthControlledWinRate(split), 0.5, 1e-6);
  EXPECT_EQ(LengthControlledWinRate({}), std::nullopt);
}

}  // namespace
}  // namespace srlm::data
