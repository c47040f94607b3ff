// A measured figure with what it was counted over and its 95 % interval.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace srlm::data {

/// A figure, what it was counted over, and its interval: percentiles of a bootstrap that draws whole prompts.
struct Figure {
  double value = 0;  // meaningless when n is 0
  int64_t n = 0;     // pairs, prompts or answers, as the figure says
  double low = 0;
  double high = 0;
};

/// Sets the interval to the 2.5 and 97.5 percentiles of `drawn`, between neighbours linearly; nothing when it is empty.
void SetInterval(std::vector<double> drawn, Figure& figure);

/// What one answer adds to a figure that is a sum divided by a count.
struct ClusteredValue {
  std::string prompt_id;
  double sum = 0;
  double count = 1;
};

/// The sum of sums divided by the sum of counts, with its interval; n is how many have a count. A mean, or with counts
/// of tokens the mean over tokens. `resamples` draws are named by `seed`: the same input gives the same interval.
Figure ClusteredRatio(std::span<const ClusteredValue> values, uint64_t seed, int resamples = 1000);

/// {"value", "n", "low", "high"}; value, low and high are null when n is 0.
nlohmann::json ToJson(const Figure& figure);

}  // namespace srlm::data
