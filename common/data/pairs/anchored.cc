#include <fmt/format.h>

#include "common/data/pairs/rules.h"

namespace srlm::data::pairs {

Contrast Anchored(std::span<const RatedCandidate> candidates) {
  const RatedCandidate *chosen = nullptr, *rejected = nullptr;
  const auto order = [](const RatedCandidate* a, const RatedCandidate& b, double sign) {
    return a == nullptr || sign * b.score > sign * a->score || (b.score == a->score && b.sample < a->sample);
  };
  for (const RatedCandidate& each : candidates) {
    if (each.anchor && order(rejected, each, -1)) rejected = &each;
    if (!each.anchor && order(chosen, each, 1)) chosen = &each;
  }
  if (chosen == nullptr || rejected == nullptr) return {};
  return {chosen, rejected,
          fmt::format("sample {} scored {:.4g}, the anchor's sample {} scored {:.4g}", chosen->sample, chosen->score,
                      rejected->sample, rejected->score)};
}

}  // namespace srlm::data::pairs
