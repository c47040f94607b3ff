#include "common/data/pairs.h"

#include <gtest/gtest.h>

namespace srlm::data {
namespace {

using Votes = std::vector<std::optional<double>>;

TEST(Pairs, MeanLeavesUnparsedVotesOut) {
  EXPECT_EQ(MeanScore(Votes{3, std::nullopt, 5}), 4.0);
  EXPECT_EQ(MeanScore(Votes{0}), 0.0);
  EXPECT_EQ(MeanScore(Votes{std::nullopt}), std::nullopt);
  EXPECT_EQ(MeanScore(Votes{}), std::nullopt);
}

std::vector<ScoredCandidate> Scored(std::initializer_list<std::optional<double>> scores) {
  std::vector<ScoredCandidate> candidates;
  for (const auto& score : scores)
    candidates.push_back({.sample = static_cast<int>(candidates.size()), .score = score, .text_key = ""});
  return candidates;
}

TEST(Pairs, HighestAgainstLowest) {
  const PairDecision decision = ChooseExtremes(Scored({2, 4.5, 1, 3}));
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.chosen_sample, 1);
  EXPECT_EQ(decision.rejected_sample, 2);
  EXPECT_EQ(decision.chosen_score, 4.5);
  EXPECT_EQ(decision.rejected_score, 1);
  EXPECT_EQ(decision.uses, (std::vector<CandidateUse>{CandidateUse::kBetween, CandidateUse::kChosen,
                                                      CandidateUse::kRejected, CandidateUse::kBetween}));
  EXPECT_EQ(decision.reason, "sample 1 scored 4.5, sample 2 scored 1");
}

TEST(Pairs, OfEqualScoresTheLowestSampleIndexWhateverTheOrder) {
  std::vector<ScoredCandidate> candidates = Scored({4, 4, 1, 1});
  for (int turn = 0; turn < 4; ++turn) {
    const PairDecision decision = ChooseExtremes(candidates);
    EXPECT_EQ(decision.chosen_sample, 0);
    EXPECT_EQ(decision.rejected_sample, 2);
    std::rotate(candidates.begin(), candidates.begin() + 1, candidates.end());
  }
}

TEST(Pairs, EqualScoresAreATieEvenWithRounding) {
  EXPECT_EQ(ChooseExtremes(Scored({3, 3, 3})).outcome, PairOutcome::kTie);
  EXPECT_EQ(ChooseExtremes(Scored({0.1 + 0.2, 0.3})).outcome, PairOutcome::kTie);
  EXPECT_EQ(ChooseExtremes(Scored({0, 0})).reason, "all 2 scored candidates have the score 0");
}

TEST(Pairs, UnscoredAndCutCandidatesEnterNoPair) {
  std::vector<ScoredCandidate> candidates = Scored({std::nullopt, 5, 1, 3});
  candidates[1].cut = true;
  const PairDecision decision = ChooseExtremes(candidates);
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.chosen_sample, 3);
  EXPECT_EQ(decision.rejected_sample, 2);
  EXPECT_EQ(decision.uses[0], CandidateUse::kUnscored);
  EXPECT_EQ(decision.uses[1], CandidateUse::kCut);
  EXPECT_EQ(ChooseExtremes(candidates, {.keep_cut = true}).chosen_sample, 1);
}

TEST(Pairs, TooFewCandidatesSaysWhy) {
  std::vector<ScoredCandidate> candidates = Scored({std::nullopt, 5, 1});
  candidates[1].cut = true;
  const PairDecision decision = ChooseExtremes(candidates);
  EXPECT_EQ(decision.outcome, PairOutcome::kTooFewCandidates);
  EXPECT_EQ(decision.reason, "1 of 3 candidates can be in a pair (1 cut, 1 unscored)");
  EXPECT_EQ(decision.chosen_sample, -1);
  EXPECT_EQ(ChooseExtremes({}).outcome, PairOutcome::kTooFewCandidates);
}

TEST(Pairs, TheGapMustReachTheLeastOne) {
  EXPECT_EQ(ChooseExtremes(Scored({3, 3.5}), {.min_gap = 1}).outcome, PairOutcome::kGapTooSmall);
  EXPECT_TRUE(ChooseExtremes(Scored({3, 4}), {.min_gap = 1}).paired());
  EXPECT_TRUE(ChooseExtremes(Scored({3, 3.01})).paired());
}

TEST(Pairs, TheSameTextIsNoPair) {
  std::vector<ScoredCandidate> candidates = Scored({4, 2});
  candidates[0].text_key = candidates[1].text_key = "same";
  EXPECT_EQ(ChooseExtremes(candidates).outcome, PairOutcome::kSameText);
}

}  // namespace
}  // namespace srlm::data
