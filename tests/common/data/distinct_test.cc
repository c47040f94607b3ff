#include "common/data/distinct.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/data/answer_figures.h"

namespace srlm::data {
namespace {

using Texts = std::vector<std::string>;

TEST(Distinct, IsDifferentRunsOverAllRunsOfAllTextsTogether) {
  EXPECT_EQ(Distinct(Texts{"A b, a b!", "b A"}, 1), 2.0 / 6);
  EXPECT_EQ(Distinct(Texts{"A b, a b!", "b A"}, 2), 2.0 / 4);             // "b a" is there twice, "a b" too
  EXPECT_EQ(Distinct(Texts{"the cat the cat", "The dog."}, 2), 3.0 / 4);  // none goes over from text to text
  EXPECT_EQ(Distinct(Texts{"one two three", "four"}, 3), 1.0);
}

TEST(Distinct, IsNotMeasuredWhereNoTextHasSoManyWords) {
  EXPECT_EQ(Distinct(Texts{"Yes.", "No."}, 2), std::nullopt);
  EXPECT_EQ(Distinct(Texts{"", "..."}, 1), std::nullopt);
  EXPECT_EQ(Distinct({}, 1), std::nullopt);
}

TEST(AnswerFigures, WhatWasNotMeasuredIsNull) {
  const std::vector<Answer> answers = {{"a", "Yes.", 2, false, ""}};
  const nlohmann::json figures = DescribeAnswers(answers, 1);
  EXPECT_EQ(figures["distinct_1"], 1);
  EXPECT_TRUE(figures["distinct_2"].is_null());
  EXPECT_TRUE(DescribeAnswers({}, 1)["distinct_1"].is_null());
}

}  // namespace
}  // namespace srlm::data
