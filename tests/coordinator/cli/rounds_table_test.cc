#include "coordinator/cli/rounds_table.h"

#include <gtest/gtest.h>

namespace srlm::cli {
namespace {

google::protobuf::RepeatedPtrField<v1::RoundSummary> TwoRounds() {
  google::protobuf::RepeatedPtrField<v1::RoundSummary> rounds;
  v1::RoundSummary& sft = *rounds.Add();
  sft.set_model("M1");
  sft.set_model_id("aa");
  sft.set_first_loss(2.5);
  sft.set_loss(1.25);
  v1::Estimate& accuracy = *sft.mutable_judge()->mutable_pairwise_accuracy();
  accuracy.set_value(0.7411);
  accuracy.set_low(0.65);
  accuracy.set_high(0.82);
  accuracy.set_n(90);
  v1::Estimate& five_best = *sft.mutable_judge()->mutable_five_best();
  five_best.set_value(0.4151);
  five_best.set_low(0.31);
  five_best.set_high(0.52);
  five_best.set_n(41);
  v1::RoundSummary& first = *rounds.Add();
  first.set_round(1);
  first.set_model("M2");
  first.set_prompts(8);
  first.set_candidates(32);
  first.set_votes(96);
  first.set_pairs(5);
  first.set_ties(2);
  first.set_parse_rate(0.875);
  first.set_mean_score(3.1);
  return rounds;
}

TEST(DescribeRounds, ShowsWhatIsThereAndADashForTheRest) {
  const std::string text = DescribeRounds(TwoRounds(), 200);
  EXPECT_NE(text.find("2.5000 -> 1.2500"), std::string::npos) << text;
  EXPECT_NE(text.find("M2 (not yet)"), std::string::npos) << text;
  EXPECT_NE(text.find("88 %"), std::string::npos) << text;
  EXPECT_NE(text.find("0.74 [0.65, 0.82] n 90"), std::string::npos) << text;
  EXPECT_NE(text.find("0.42 [0.31, 0.52] n 41", text.find("5-best")), std::string::npos) << text;
  EXPECT_EQ(text.find("nan"), std::string::npos) << text;
}

TEST(DescribeRounds, PairsOfJudgementsStandBesideThoseOfAnswers) {
  auto rounds = TwoRounds();
  EXPECT_EQ(DescribeRounds(rounds, 200).find("5 + "), std::string::npos);
  rounds[1].set_judge_pairs(3);
  EXPECT_NE(DescribeRounds(rounds, 200).find("5 + 3"), std::string::npos) << DescribeRounds(rounds, 200);
}

TEST(DescribeRounds, IsEmptyWithoutRounds) { EXPECT_EQ(DescribeRounds({}, 80), ""); }

}  // namespace
}  // namespace srlm::cli
