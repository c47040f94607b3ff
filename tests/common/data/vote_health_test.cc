#include "common/data/vote_health.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "common/base/random.h"
#include "common/data/pairs.h"

namespace srlm::data {
namespace {

CandidateVotes Candidate(const std::string& prompt, std::vector<std::optional<double>> scores, int64_t characters) {
  CandidateVotes candidate{.prompt_id = prompt, .states = {}, .scores = std::move(scores), .characters = characters};
  for (const auto& score : candidate.scores)
    candidate.states.push_back(score ? VerdictState::kParsed : VerdictState::kAbsent);
  return candidate;
}

TEST(VoteHealth, CountsAreOfVotesCandidatesAndPairsOfAPrompt) {
  const std::vector<CandidateVotes> candidates = {
      Candidate("a", {4, 4, std::nullopt}, 10),
      Candidate("a", {3, 5}, 20),
      Candidate("a", {std::nullopt}, 30),
      Candidate("b", {0}, 5),
      Candidate("b", {2}, 6),
  };
  const VoteHealth health = ComputeVoteHealth(candidates);
  EXPECT_EQ(health.votes, 8);
  EXPECT_EQ(health.parsed, 6);
  EXPECT_EQ(health.absent, 2);
  EXPECT_EQ(health.parse_rate, 0.75);
  EXPECT_EQ(health.histogram, (std::array<int64_t, 6>{1, 0, 1, 1, 2, 1}));
  EXPECT_EQ(health.candidates, 5);
  EXPECT_EQ(health.unscored_candidates, 1);
  EXPECT_EQ(health.mean_score, 2.5);
  EXPECT_EQ(health.mean_vote_variance, 1.0);  // of {4, 4}: 0, of {3, 5}: 2
  EXPECT_EQ(health.tie_rate, 0.5);            // a: equal means, b: not
  EXPECT_GT(health.length_correlation, 0.5);
  EXPECT_EQ(ToJson(health)["histogram"][4], 2);
}

TEST(VoteHealth, NothingGivesZeros) {
  const VoteHealth health = ComputeVoteHealth({});
  EXPECT_EQ(health.parse_rate, 0);
  EXPECT_EQ(health.tie_rate, 0);
  EXPECT_EQ(health.length_correlation, 0);
}

// The sums of a tally against the plain way, on votes of all kinds.
TEST(VoteHealth, ATallyThatGrowsGivesTheSameFigures) {
  const RandomStream random(5, {});
  std::vector<CandidateVotes> candidates;
  VoteTally tally;
  std::map<std::string, std::vector<double>> scores;
  uint64_t draw = 0;
  for (int prompt = 0; prompt < 40; ++prompt) {
    for (int sample = 0; sample < 4; ++sample) {
      CandidateVotes candidate{"p" + std::to_string(prompt), {}, {}, static_cast<int64_t>(random.Below(draw++, 900))};
      for (int vote = 0; vote < 3; ++vote) {
        const uint64_t kind = random.Below(draw++, 8);
        candidate.states.push_back(kind < 6    ? VerdictState::kParsed
                                   : kind == 6 ? VerdictState::kAbsent
                                               : VerdictState::kOutOfRange);
        candidate.scores.push_back(kind < 6 ? std::optional<double>(kind) : std::nullopt);
      }
      tally.Add(candidate, scores[candidate.prompt_id]);
      if (const auto mean = MeanScore(candidate.scores)) scores[candidate.prompt_id].push_back(*mean);
      candidates.push_back(candidate);
    }
  }
  const VoteHealth plain = ComputeVoteHealth(candidates), summed = tally.Health();
  EXPECT_EQ(summed.votes, plain.votes);
  EXPECT_EQ(summed.parsed, plain.parsed);
  EXPECT_EQ(summed.absent, plain.absent);
  EXPECT_EQ(summed.out_of_range, plain.out_of_range);
  EXPECT_EQ(summed.parse_rate, plain.parse_rate);
  EXPECT_EQ(summed.histogram, plain.histogram);
  EXPECT_EQ(summed.candidates, plain.candidates);
  EXPECT_EQ(summed.unscored_candidates, plain.unscored_candidates);
  EXPECT_NEAR(summed.mean_score, plain.mean_score, 1e-12);
  EXPECT_NEAR(summed.mean_vote_variance, plain.mean_vote_variance, 1e-12);
  EXPECT_NEAR(summed.tie_rate, plain.tie_rate, 1e-12);
  EXPECT_NEAR(summed.length_correlation, plain.length_correlation, 1e-9);
}

TEST(VoteHealth, ATallyOfEqualScoresCorrelatesWithNothing) {
  VoteTally tally;
  for (int i = 0; i < 1000; ++i) tally.Add({"p", {VerdictState::kParsed}, {3.3}, 10 + i}, {});
  EXPECT_EQ(tally.Health().length_correlation, 0);
  EXPECT_EQ(VoteTally().Health().mean_score, 0);
}

}  // namespace
}  // namespace srlm::data
