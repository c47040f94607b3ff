// The health of a round's judging in numbers: does it parse, does it spread, does it tie.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/data/verdict.h"

namespace srlm::data {

/// The votes of one candidate.
struct CandidateVotes {
  std::string prompt_id;
  std::vector<VerdictState> states;           // one a vote
  std::vector<std::optional<double>> scores;  // one a vote, none where unparsed; `expected` gives fractions
  int64_t characters = 0;                     // of the candidate
};

/// Variance of the votes that have a score, n - 1 below; none with fewer than two.
std::optional<double> VoteVariance(const std::vector<std::optional<double>>& votes);

struct VoteHealth {
  int64_t votes = 0;
  int64_t parsed = 0;
  int64_t absent = 0;
  int64_t out_of_range = 0;
  double parse_rate = 0;               // parsed / votes; 0 without votes
  std::array<int64_t, 6> histogram{};  // parsed votes rounded to 0..5
  int64_t candidates = 0;
  int64_t unscored_candidates = 0;  // no vote parsed
  double mean_score = 0;            // over scored candidates
  double mean_vote_variance = 0;    // over candidates with two votes or more (n - 1 below)
  double tie_rate = 0;              // pairs of one prompt's scored candidates with equal mean scores
  double length_correlation = 0;    // Pearson of mean score and characters; 0 when either is constant
};

/// The plain way: over all candidates at once.
VoteHealth ComputeVoteHealth(std::span<const CandidateVotes> candidates);

/// The same as sums that grow with each candidate. Their last bits depend on the order of the candidates.
struct VoteTally {
  int64_t votes = 0;
  int64_t parsed = 0;
  int64_t absent = 0;
  int64_t out_of_range = 0;
  std::array<int64_t, 6> histogram{};
  int64_t scored = 0;    // candidates with a parsed vote
  int64_t unscored = 0;  // with votes of which none parsed
  double score_sum = 0;  // of the scored ones' means, as the next four
  double score_squares = 0;
  double length_sum = 0;  // characters
  double length_squares = 0;
  double score_length = 0;
  double variance_sum = 0;
  int64_t variances = 0;
  int64_t score_pairs = 0;  // of one prompt's scored candidates
  int64_t score_ties = 0;

  /// One more candidate. `others`: mean scores of the prompt's candidates that were added before.
  void Add(const CandidateVotes& candidate, std::span<const double> others);
  VoteHealth Health() const;
};
nlohmann::json ToJson(const VoteHealth& health);

}  // namespace srlm::data
