#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "common/data/pairs/rules.h"

namespace srlm::data::pairs {

Contrast LengthControlled(std::span<const RatedCandidate> candidates, double rho) {
  constexpr double kRounding = 1e-9;  // of the two borders
  const auto [low, high] = std::ranges::minmax(candidates, {}, [](const RatedCandidate& each) { return each.score; });
  const double range = high.score - low.score;
  const double least = high.score - rho * range, most = low.score + rho * range;
  std::vector<const RatedCandidate*> upper, lower;
  for (const RatedCandidate& each : candidates) {
    if (each.score >= least - kRounding) upper.push_back(&each);
    if (each.score <= most + kRounding) lower.push_back(&each);
  }
  const RatedCandidate* chosen = *std::ranges::min_element(
      upper, {}, [](const RatedCandidate* each) { return std::tuple(each->tokens, -each->score, each->sample); });
  const RatedCandidate* rejected = *std::ranges::min_element(
      lower, {}, [](const RatedCandidate* each) { return std::tuple(-each->tokens, each->score, each->sample); });
  return {chosen, rejected,
          fmt::format("sample {} is the shortest ({} tokens) of {} that scored at least {:.4g}, sample {} the longest "
                      "({} tokens) of {} that scored at most {:.4g}",
                      chosen->sample, chosen->tokens, upper.size(), least, rejected->sample, rejected->tokens,
                      lower.size(), most)};
}

}  // namespace srlm::data::pairs
