#include "common/data/figure.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/data/clustered.h"

namespace srlm::data {

void SetInterval(std::vector<double> drawn, Figure& figure) {
  if (drawn.empty()) return;
  std::sort(drawn.begin(), drawn.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(drawn.size() - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, drawn.size() - 1);
    return drawn[low] + (drawn[high] - drawn[low]) * (place - static_cast<double>(low));
  };
  figure.low = at(0.025);
  figure.high = at(0.975);
}

Figure ClusteredRatio(std::span<const ClusteredValue> values, uint64_t seed, int resamples) {
  using Sums = RatioSums<1>;
  std::map<std::string, Sums> by_prompt;
  Sums all;
  int64_t counted = 0;
  for (const ClusteredValue& value : values) {
    if (value.count <= 0) continue;
    ++counted;
    by_prompt[value.prompt_id].Add(0, value.sum, value.count);
    all.Add(0, value.sum, value.count);
  }
  std::vector<Sums> prompts;
  for (const auto& [id, sums] : by_prompt) prompts.push_back(sums);
  RatioDraws<1> drawn;
  DrawPrompts(prompts, seed, resamples, [&](const Sums& sums) { drawn.Add(sums); });
  Figure figure;
  if (counted > 0) drawn.Set(all, {&figure});
  figure.n = counted;  // not the sum of their counts
  return figure;
}

nlohmann::json ToJson(const Figure& figure) {
  if (figure.n == 0) return {{"value", nullptr}, {"n", 0}, {"low", nullptr}, {"high", nullptr}};
  return {{"value", figure.value}, {"n", figure.n}, {"low", figure.low}, {"high", figure.high}};
}

}  // namespace srlm::data
