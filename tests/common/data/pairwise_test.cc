#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "common/data/pairwise_template.h"
#include "common/data/pairwise_verdict.h"
#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

using enum PairVerdict;

TEST(PairwiseTemplate, AnswersCannotPutInOneAnother) {
  const auto judge = PairwiseTemplate::Parse("{response_b}|{prompt}|{response_a}.", "t");
  ASSERT_TRUE(judge.ok());
  EXPECT_EQ(judge->Fill("{response_a}", "a{prompt}", "b{response_a}"), "b{response_a}|{response_a}|a{prompt}.");
}

TEST(PairwiseTemplate, EveryVariableMustStandOnce) {
  ExpectContains(PairwiseTemplate::Parse("{prompt}{response_a}", "t.txt").status().message(),
                 "t.txt: {response_b} is missing; a pairwise template needs {prompt}, {response_a}, {response_b}");
  ExpectContains(PairwiseTemplate::Parse("{prompt}{response_a}{response_b}{response_a}", "t.txt").status().message(),
                 "t.txt: {response_a} stands more than once");
  const TemporaryFolder folder;
  ExpectContains(PairwiseTemplate::Load(folder.Write("t.txt", "{prompt}{response}")).status().message(),
                 "{response_a} is missing");
}

TEST(PairwiseTemplate, BuiltInIsTheFileThatUsersStartFrom) {
  const auto file = PairwiseTemplate::Load(std::string(std::getenv("SRLM_SOURCE")) + "/deploy/templates/pairwise.txt");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(PairwiseTemplate::BuiltIn().text(), file->text());
}

TEST(PairVerdict, TheLastBracketsCount) {
  EXPECT_EQ(ParsePairVerdict("Verdict: [[A]]"), kA);
  EXPECT_EQ(ParsePairVerdict("[[A]] is what answer B asks for, and yet [[B]]."), kB);
  EXPECT_EQ(ParsePairVerdict("**Verdict: [[ c ]]**\n"), kTie);
  EXPECT_EQ(ParsePairVerdict("[[**a**]]"), kA);
}

TEST(PairVerdict, AnEarlierOneNeverStandsInForABadLastOne) {
  for (const char* text : {"", "A", "[A]", "[[A", "[[D]]", "[[A]] or rather [[D]]", "[[A]] [[", "[[A or B]]", "[[]]",
                           "[[A]] and so [[AB]]"})
    EXPECT_EQ(ParsePairVerdict(text), std::nullopt) << text;
}

TEST(PairVerdict, NamesComeBack) {
  for (const PairVerdict verdict : {kA, kB, kTie}) EXPECT_EQ(PairVerdictFromName(PairVerdictName(verdict)), verdict);
  EXPECT_EQ(PairVerdictFromName("c"), std::nullopt);
}

TEST(OrderVerdict, OfVotesIsTheLeadAndLeavesOutWhatCannotBeRead) {
  const std::vector<std::optional<PairVerdict>> lead = {kA, std::nullopt, kTie, kA, kB};
  EXPECT_EQ(VerdictOfVotes(lead).verdict, kA);
  EXPECT_DOUBLE_EQ(*VerdictOfVotes(lead).prefers_first, 2.5 / 4);
  const std::vector<std::optional<PairVerdict>> even = {kA, kB};
  EXPECT_EQ(VerdictOfVotes(even).verdict, kTie);
  const std::vector<std::optional<PairVerdict>> none = {std::nullopt};
  EXPECT_EQ(VerdictOfVotes(none).verdict, std::nullopt);
  EXPECT_EQ(VerdictOfVotes(none).prefers_first, std::nullopt);
}

TEST(OrderVerdict, OfLogprobsIsNormalisedOverTheTwoLetters) {
  const std::vector<double> logprobs = {std::log(0.03), std::log(0.01)};
  EXPECT_EQ(VerdictOfLogprobs(logprobs).verdict, kA);
  EXPECT_NEAR(*VerdictOfLogprobs(logprobs).prefers_first, 0.75, 1e-12);
  const std::vector<double> far = {-2000, -1};
  EXPECT_EQ(VerdictOfLogprobs(far).verdict, kB);
  EXPECT_EQ(*VerdictOfLogprobs(far).prefers_first, 0);
}

TEST(CompareOrders, AgreementWinsAndDisagreementIsATie) {
  const OrderVerdict first{kA, 0.9}, second{kB, 0.2}, tie{kTie, 0.5}, none;
  EXPECT_EQ(CompareOrders(first, second).verdict, kA);  // x stood first, then second
  EXPECT_EQ(CompareOrders(second, first).verdict, kB);
  EXPECT_EQ(CompareOrders(first, first).verdict, kTie);  // the first place won, whoever stood there
  EXPECT_TRUE(CompareOrders(first, first).flipped);
  EXPECT_NEAR(*CompareOrders(first, first).prefers_x, 0.5, 1e-12);
  EXPECT_NEAR(*CompareOrders(first, second).prefers_x, 0.85, 1e-12);
  EXPECT_EQ(CompareOrders(first, tie).verdict, kTie);
  EXPECT_FALSE(CompareOrders(first, tie).flipped);
  EXPECT_FALSE(CompareOrders(tie, tie).flipped);
  EXPECT_EQ(CompareOrders(first, none).verdict, std::nullopt);
  EXPECT_EQ(CompareOrders(none, none).prefers_x, std::nullopt);
}

}  // namespace
}  // namespace srlm::data
