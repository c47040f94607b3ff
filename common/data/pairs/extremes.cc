#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/data/pairs/rules.h"

namespace srlm::data::pairs {

Contrast Extremes(std::span<const RatedCandidate> candidates) {
  const auto high = std::ranges::min_element(
      candidates, {}, [](const RatedCandidate& each) { return std::pair(-each.score, each.sample); });
  const auto low = std::ranges::min_element(
      candidates, {}, [](const RatedCandidate& each) { return std::pair(each.score, each.sample); });
  return {&*high, &*low,
          fmt::format("sample {} scored {:.4g}, sample {} scored {:.4g}", high->sample, high->score, low->sample,
                      low->score)};
}

}  // namespace srlm::data::pairs
