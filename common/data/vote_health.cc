#include "common/data/vote_health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "common/data/pairs.h"
#include "common/data/statistics.h"

namespace srlm::data {
namespace {

template <class Counts>
void CountVotes(const CandidateVotes& candidate, Counts& health) {
  for (const VerdictState state : candidate.states) {
    ++health.votes;
    health.parsed += state == VerdictState::kParsed;
    health.absent += state == VerdictState::kAbsent;
    health.out_of_range += state == VerdictState::kOutOfRange;
  }
  for (const std::optional<double>& score : candidate.scores)
    if (score) ++health.histogram[static_cast<size_t>(std::clamp(std::lround(*score), 0L, 5L))];
}

bool AreTied(double a, double b) { return std::abs(a - b) <= 1e-9; }

double Ratio(double part, int64_t whole) { return whole > 0 ? part / static_cast<double>(whole) : 0; }

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

std::optional<double> VoteVariance(const std::vector<std::optional<double>>& votes) {
  const std::optional<double> mean = MeanScore(votes);
  double sum = 0;
  int count = 0;
  for (const std::optional<double>& vote : votes) {
    if (!vote) continue;
    sum += (*vote - *mean) * (*vote - *mean);
    ++count;
  }
  return count < 2 ? std::nullopt : std::optional<double>(sum / (count - 1));
}

VoteHealth ComputeVoteHealth(std::span<const CandidateVotes> candidates) {
  VoteHealth health;
  std::vector<double> means, lengths, variances;
  std::map<std::string, std::vector<double>> by_prompt;
  for (const CandidateVotes& candidate : candidates) {
    ++health.candidates;
    CountVotes(candidate, health);
    const std::optional<double> mean = MeanScore(candidate.scores);
    if (!mean) {
      ++health.unscored_candidates;
      continue;
    }
    means.push_back(*mean);
    lengths.push_back(static_cast<double>(candidate.characters));
    by_prompt[candidate.prompt_id].push_back(*mean);
    if (const auto variance = VoteVariance(candidate.scores)) variances.push_back(*variance);
  }
  int64_t pairs = 0, ties = 0;
  for (const auto& [id, scores] : by_prompt) {
    for (size_t i = 0; i < scores.size(); ++i) {
      for (size_t j = i + 1; j < scores.size(); ++j) {
        ++pairs;
        ties += AreTied(scores[i], scores[j]);
      }
    }
  }
  if (health.votes > 0) health.parse_rate = static_cast<double>(health.parsed) / static_cast<double>(health.votes);
  if (pairs > 0) health.tie_rate = static_cast<double>(ties) / static_cast<double>(pairs);
  health.mean_score = Mean(means);
  health.mean_vote_variance = Mean(variances);
  health.length_correlation = Pearson(means, lengths);
  return health;
}

void VoteTally::Add(const CandidateVotes& candidate, std::span<const double> others) {
  CountVotes(candidate, *this);
  const std::optional<double> mean = MeanScore(candidate.scores);
  if (!mean) {
    ++unscored;
    return;
  }
  const auto length = static_cast<double>(candidate.characters);
  ++scored;
  score_sum += *mean;
  score_squares += *mean * *mean;
  length_sum += length;
  length_squares += length * length;
  score_length += *mean * length;
  if (const auto variance = VoteVariance(candidate.scores)) {
    variance_sum += *variance;
    ++variances;
  }
  score_pairs += static_cast<int64_t>(others.size());
  for (const double other : others) score_ties += AreTied(*mean, other);
}

VoteHealth VoteTally::Health() const {
  VoteHealth health;
  health.votes = votes;
  health.parsed = parsed;
  health.absent = absent;
  health.out_of_range = out_of_range;
  health.parse_rate = Ratio(static_cast<double>(parsed), votes);
  health.histogram = histogram;
  health.candidates = scored + unscored;
  health.unscored_candidates = unscored;
  health.mean_score = Ratio(score_sum, scored);
  health.mean_vote_variance = Ratio(variance_sum, variances);
  health.tie_rate = Ratio(static_cast<double>(score_ties), score_pairs);
  const auto n = static_cast<double>(scored);
  const double score_spread = n * score_squares - score_sum * score_sum;
  const double length_spread = n * length_squares - length_sum * length_sum;
  // What rounding leaves of a constant's spread is not one.
  const bool varies = score_spread > 1e-9 * n * score_squares && length_spread > 1e-9 * n * length_squares;
  if (varies)
    health.length_correlation = (n * score_length - score_sum * length_sum) / std::sqrt(score_spread * length_spread);
  return health;
}

nlohmann::json ToJson(const VoteHealth& health) {
  return {{"votes", health.votes},           {"parsed", health.parsed},
          {"absent", health.absent},         {"out_of_range", health.out_of_range},
          {"parse_rate", health.parse_rate}, {"histogram", health.histogram},
          {"candidates", health.candidates}, {"unscored_candidates", health.unscored_candidates},
          {"mean_score", health.mean_score}, {"mean_vote_variance", health.mean_vote_variance},
          {"tie_rate", health.tie_rate},     {"length_correlation", health.length_correlation}};
}

}  // namespace srlm::data
