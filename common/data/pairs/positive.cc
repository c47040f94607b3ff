#include <fmt/format.h>

#include <algorithm>

#include "common/data/pairs/rules.h"

namespace srlm::data::pairs {

std::vector<ChosenPair> Positive(std::span<const RatedCandidate> candidates, double min_score) {
  constexpr double kRounding = 1e-9;  // of a mean of votes
  std::vector<ChosenPair> good;
  for (const RatedCandidate& each : candidates) {
    if (each.score < min_score - kRounding) continue;
    ChosenPair& answer = good.emplace_back();
    answer.chosen_sample = each.sample;
    answer.chosen_score = each.score;
    answer.chosen_tokens = each.tokens;
    answer.reason = fmt::format("sample {} scored {:.4g}, at least {:.4g}", each.sample, each.score, min_score);
  }
  std::ranges::sort(good, {}, &ChosenPair::chosen_sample);
  return good;
}

}  // namespace srlm::data::pairs
