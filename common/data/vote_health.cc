#include "common/data/vote_health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "common/data/pairs.h"
#include "common/data/statistics.h"

namespace srlm::data {
namespace {

/// Variance of the votes that have a score, n - 1 below; none with fewer than two.
std::optional<double> VoteVariance(const std::vector<std::optional<double>>& votes, double mean) {
  double sum = 0;
  int count = 0;
  for (const std::optional<double>& vote : votes) {
    if (!vote) continue;
    sum += (*vote - mean) * (*vote - mean);
    ++count;
  }
  return count < 2 ? std::nullopt : std::optional<double>(sum / (count - 1));
}

void CountVotes(const CandidateVotes& candidate, VoteHealth& health) {
  for (const VerdictState state : candidate.states) {
    ++health.votes;
    health.parsed += state == VerdictState::kParsed;
    health.absent += state == VerdictState::kAbsent;
    health.out_of_range += state == VerdictState::kOutOfRange;
  }
  for (const std::optional<double>& score : candidate.scores)
    if (score) ++health.histogram[static_cast<size_t>(std::clamp(std::lround(*score), 0L, 5L))];
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

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
    if (const auto variance = VoteVariance(candidate.scores, *mean)) variances.push_back(*variance);
  }
  int64_t pairs = 0, ties = 0;
  for (const auto& [id, scores] : by_prompt) {
    for (size_t i = 0; i < scores.size(); ++i) {
      for (size_t j = i + 1; j < scores.size(); ++j) {
        ++pairs;
        ties += std::abs(scores[i] - scores[j]) <= 1e-9;
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

nlohmann::json ToJson(const VoteHealth& health) {
  return {{"votes", health.votes},           {"parsed", health.parsed},
          {"absent", health.absent},         {"out_of_range", health.out_of_range},
          {"parse_rate", health.parse_rate}, {"histogram", health.histogram},
          {"candidates", health.candidates}, {"unscored_candidates", health.unscored_candidates},
          {"mean_score", health.mean_score}, {"mean_vote_variance", health.mean_vote_variance},
          {"tie_rate", health.tie_rate},     {"length_correlation", health.length_correlation}};
}

}  // namespace srlm::data
