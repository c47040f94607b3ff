#include "common/data/vote_health.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace srlm::data
