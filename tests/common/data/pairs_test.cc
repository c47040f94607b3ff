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
  const PairDecision decision = ChoosePairs(Scored({2, 4.5, 1, 3}));
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.pairs[0].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 2);
  EXPECT_EQ(decision.pairs[0].chosen_score, 4.5);
  EXPECT_EQ(decision.pairs[0].rejected_score, 1);
  EXPECT_EQ(decision.uses, (std::vector<CandidateUse>{CandidateUse::kBetween, CandidateUse::kChosen,
                                                      CandidateUse::kRejected, CandidateUse::kBetween}));
  EXPECT_EQ(decision.pairs[0].reason, "sample 1 scored 4.5, sample 2 scored 1");
}

TEST(Pairs, OfEqualScoresTheLowestSampleIndexWhateverTheOrder) {
  std::vector<ScoredCandidate> candidates = Scored({4, 4, 1, 1});
  for (int turn = 0; turn < 4; ++turn) {
    const PairDecision decision = ChoosePairs(candidates);
    EXPECT_EQ(decision.pairs[0].chosen_sample, 0);
    EXPECT_EQ(decision.pairs[0].rejected_sample, 2);
    std::rotate(candidates.begin(), candidates.begin() + 1, candidates.end());
  }
}

TEST(Pairs, EqualScoresAreATieEvenWithRounding) {
  EXPECT_EQ(ChoosePairs(Scored({3, 3, 3})).outcome, PairOutcome::kTie);
  EXPECT_EQ(ChoosePairs(Scored({0.1 + 0.2, 0.3})).outcome, PairOutcome::kTie);
  EXPECT_EQ(ChoosePairs(Scored({0, 0})).reason, "all 2 scored candidates have the score 0");
}

TEST(Pairs, UnscoredAndCutCandidatesEnterNoPair) {
  std::vector<ScoredCandidate> candidates = Scored({std::nullopt, 5, 1, 3});
  candidates[1].cut = true;
  const PairDecision decision = ChoosePairs(candidates);
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.pairs[0].chosen_sample, 3);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 2);
  EXPECT_EQ(decision.uses[0], CandidateUse::kUnscored);
  EXPECT_EQ(decision.uses[1], CandidateUse::kCut);
  EXPECT_EQ(ChoosePairs(candidates, {.keep_cut = true}).pairs[0].chosen_sample, 1);
}

TEST(Pairs, TooFewCandidatesSaysWhy) {
  std::vector<ScoredCandidate> candidates = Scored({std::nullopt, 5, 1});
  candidates[1].cut = true;
  const PairDecision decision = ChoosePairs(candidates);
  EXPECT_EQ(decision.outcome, PairOutcome::kTooFewCandidates);
  EXPECT_EQ(decision.reason, "1 of 3 candidates can be in a pair (1 cut, 1 unscored)");
  EXPECT_TRUE(decision.pairs.empty());
  EXPECT_EQ(ChoosePairs({}).outcome, PairOutcome::kTooFewCandidates);
}

TEST(Pairs, TheGapMustReachTheLeastOne) {
  EXPECT_EQ(ChoosePairs(Scored({3, 3.5}), {.min_gap = 1}).outcome, PairOutcome::kGapTooSmall);
  EXPECT_TRUE(ChoosePairs(Scored({3, 4}), {.min_gap = 1}).paired());
  EXPECT_TRUE(ChoosePairs(Scored({3, 3.01})).paired());
}

TEST(Pairs, TheSameTextIsNoPair) {
  std::vector<ScoredCandidate> candidates = Scored({4, 2});
  candidates[0].text_key = candidates[1].text_key = "same";
  EXPECT_EQ(ChoosePairs(candidates).outcome, PairOutcome::kSameText);
}

TEST(Pairs, MorePairsOfAPromptAreTheNextBestAgainstTheNextWorst) {
  const auto candidates = Scored({2, 4.5, 1, 3, 5, 3.5});
  const PairDecision decision = ChoosePairs(candidates, {.max_pairs = 2});
  ASSERT_EQ(decision.pairs.size(), 2u);
  EXPECT_EQ(decision.pairs[0].chosen_sample, 4);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 2);
  EXPECT_EQ(decision.pairs[1].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[1].rejected_sample, 0);
  EXPECT_EQ(decision.pairs[1].reason, "after 1 pairs, sample 1 scored 4.5, sample 0 scored 2");
  EXPECT_EQ(decision.uses[3], CandidateUse::kBetween);
  EXPECT_EQ(ChoosePairs(candidates, {.max_pairs = 10}).pairs.size(), 3u);  // nobody is in two pairs
}

TEST(Pairs, APromptEndsWhereTheRuleFindsNoMore) {
  const PairDecision decision = ChoosePairs(Scored({5, 3, 3, 1}), {.max_pairs = 4});
  EXPECT_EQ(decision.outcome, PairOutcome::kPaired);
  EXPECT_EQ(decision.pairs.size(), 1u);  // those left are a tie
  EXPECT_EQ(ChoosePairs(Scored({5, 3, 2.5, 1}), {.min_gap = 1, .max_pairs = 4}).pairs.size(), 1u);
  EXPECT_EQ(ChoosePairs(Scored({3, 3, 3, 3}), {.max_pairs = 4}).outcome, PairOutcome::kTie);
}

struct Sized {
  double score;
  int tokens;
};

PairDecision LengthControlled(std::initializer_list<Sized> answers, double rho) {
  std::vector<ScoredCandidate> candidates;
  for (const Sized& each : answers)
    candidates.push_back(
        {.sample = static_cast<int>(candidates.size()), .score = each.score, .tokens = each.tokens, .text_key = ""});
  return ChoosePairs(candidates, {.method = PairMethod::kLengthControlled, .rho = rho});
}

TEST(Pairs, LengthControlledTakesTheShortestOfTheBestAgainstTheLongestOfTheWorst) {
  // The range is 4: with rho 0.25 the best are those of at least 4, the worst those of at most 2.
  const PairDecision decision = LengthControlled({{5, 90}, {4, 30}, {3.9, 10}, {2.1, 200}, {2, 120}, {1, 40}}, 0.25);
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.pairs[0].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 4);
  EXPECT_EQ(decision.pairs[0].chosen_tokens, 30);
  EXPECT_EQ(decision.pairs[0].rejected_tokens, 120);
  EXPECT_EQ(decision.pairs[0].reason,
            "sample 1 is the shortest (30 tokens) of 2 that scored at least 4, sample 4 the longest (120 tokens) of 2 "
            "that scored at most 2");
}

TEST(Pairs, LengthControlledWithoutToleranceIsExtremesExceptAmongEquals) {
  const PairDecision decision = LengthControlled({{5, 90}, {5, 30}, {1, 40}, {1, 60}, {3, 1}}, 0);
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.pairs[0].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 3);
}

TEST(Pairs, LengthControlledOfEqualLengthsTakesTheScores) {
  const PairDecision decision = LengthControlled({{4.5, 20}, {5, 20}, {1.5, 20}, {1, 20}, {1, 20}}, 0.4);
  ASSERT_TRUE(decision.paired());
  EXPECT_EQ(decision.pairs[0].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 3);
  EXPECT_EQ(LengthControlled({{3, 20}, {3, 50}}, 0.4).outcome, PairOutcome::kTie);
}

TEST(Pairs, LengthControlledNeverRejectsABetterAnswer) {
  for (const double rho : {0.0, 0.1, 0.3, 0.49}) {
    for (uint32_t seed = 1; seed < 200; ++seed) {
      uint32_t state = seed * 2654435761u;
      const auto draw = [&](uint32_t bound) { return (state = state * 1664525u + 1013904223u) / 65536u % bound; };
      std::vector<ScoredCandidate> candidates;
      for (int sample = 0; sample < 6; ++sample)
        candidates.push_back(
            {.sample = sample, .score = draw(16) / 3.0, .tokens = 1 + static_cast<int>(draw(40)), .text_key = ""});
      const PairDecision decision =
          ChoosePairs(candidates, {.method = PairMethod::kLengthControlled, .max_pairs = 3, .rho = rho});
      for (const ChosenPair& pair : decision.pairs) EXPECT_GT(pair.chosen_score, pair.rejected_score);
    }
  }
}

std::vector<ScoredCandidate> WithAnchors(std::initializer_list<std::optional<double>> own,
                                         std::initializer_list<std::optional<double>> anchors) {
  std::vector<ScoredCandidate> candidates = Scored(own);
  for (const auto& score : anchors)
    candidates.push_back(
        {.sample = static_cast<int>(candidates.size()), .score = score, .anchor = true, .text_key = ""});
  return candidates;
}

TEST(Pairs, AnchoredSetsTheBestAnswerAgainstTheAnchorsWorst) {
  const PairOptions anchored{.method = PairMethod::kAnchored, .max_pairs = 2};
  const PairDecision decision = ChoosePairs(WithAnchors({3, 4, 0}, {5, 1, 2, std::nullopt}), anchored);
  ASSERT_EQ(decision.pairs.size(), 2u);
  EXPECT_EQ(decision.pairs[0].chosen_sample, 1);
  EXPECT_EQ(decision.pairs[0].rejected_sample, 4);
  EXPECT_EQ(decision.pairs[0].reason, "sample 1 scored 4, the anchor's sample 4 scored 1");
  EXPECT_EQ(decision.pairs[1].chosen_sample, 0);
  EXPECT_EQ(decision.pairs[1].rejected_sample, 5);
  EXPECT_EQ(decision.uses[2], CandidateUse::kBetween);
}

TEST(Pairs, AnchoredMakesNoPairWhereTheAnchorIsAsGood) {
  const PairOptions anchored{.method = PairMethod::kAnchored};
  EXPECT_EQ(ChoosePairs(WithAnchors({3, 2}, {4, 5}), anchored).outcome, PairOutcome::kNotBetter);
  const PairDecision tie = ChoosePairs(WithAnchors({3, 2}, {3, 5}), anchored);
  EXPECT_EQ(tie.outcome, PairOutcome::kTie);
  EXPECT_EQ(tie.reason, "sample 0 scored 3, the anchor's sample 2 scored 3, not less");
  EXPECT_EQ(ChoosePairs(WithAnchors({3, 2}, {}), anchored).outcome, PairOutcome::kTooFewCandidates);
  EXPECT_EQ(ChoosePairs(WithAnchors({}, {3, 2}), anchored).outcome, PairOutcome::kTooFewCandidates);
}

TEST(Pairs, PositiveTakesEveryGoodAnswerAndRejectsNone) {
  const PairOptions positive{.method = PairMethod::kPositive, .positive_min_score = 4};
  const PairDecision decision = ChoosePairs(Scored({5, 3.9, 4, std::nullopt}), positive);
  EXPECT_EQ(decision.outcome, PairOutcome::kPositive);
  ASSERT_EQ(decision.pairs.size(), 2u);
  EXPECT_EQ(decision.pairs[1].chosen_sample, 2);
  EXPECT_EQ(decision.pairs[1].rejected_sample, -1);
  EXPECT_EQ(decision.pairs[1].reason, "sample 2 scored 4, at least 4");
  EXPECT_EQ(decision.uses, (std::vector<CandidateUse>{CandidateUse::kChosen, CandidateUse::kBetween,
                                                      CandidateUse::kChosen, CandidateUse::kUnscored}));
  const PairDecision none = ChoosePairs(Scored({3, 2}), positive);
  EXPECT_EQ(none.outcome, PairOutcome::kNoneGoodEnough);
  EXPECT_EQ(none.reason, "the best answer scored 3, less than 4");
  EXPECT_EQ(ChoosePairs(Scored({5}), positive).pairs.size(), 1u);
}

}  // namespace
}  // namespace srlm::data
