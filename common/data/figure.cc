#include "common/data/figure.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/random.h"

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
  struct Sums {
    double sum = 0;
    double count = 0;
    void Add(double more_sum, double more_count) { sum += more_sum, count += more_count; }
  };
  Figure figure;
  std::map<std::string, Sums> by_prompt;
  Sums all;
  for (const ClusteredValue& value : values) {
    if (value.count <= 0) continue;
    ++figure.n;
    by_prompt[value.prompt_id].Add(value.sum, value.count);
    all.Add(value.sum, value.count);
  }
  if (figure.n == 0) return figure;
  figure.value = all.sum / all.count;
  std::vector<Sums> prompts;
  for (const auto& [id, sums] : by_prompt) prompts.push_back(sums);
  std::vector<double> drawn;
  for (int resample = 0; resample < resamples; ++resample) {
    const RandomStream stream(seed, {static_cast<uint64_t>(resample)});
    Sums sums;
    for (size_t i = 0; i < prompts.size(); ++i) {
      const Sums& one = prompts[stream.Below(i, prompts.size())];
      sums.Add(one.sum, one.count);
    }
    drawn.push_back(sums.sum / sums.count);
  }
  SetInterval(std::move(drawn), figure);
  return figure;
}

nlohmann::json ToJson(const Figure& figure) {
  if (figure.n == 0) return {{"value", nullptr}, {"n", 0}, {"low", nullptr}, {"high", nullptr}};
  return {{"value", figure.value}, {"n", figure.n}, {"low", figure.low}, {"high", figure.high}};
}

}  // namespace srlm::data
