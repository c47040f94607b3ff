#include "common/data/digit_vote.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/data/judge_template.h"

namespace srlm::data {

int DrawDigit(std::span<const double> digit_logprobs, double temperature, double uniform) {
  const auto largest = std::ranges::max_element(digit_logprobs);
  if (temperature <= 0) return kMinScore + static_cast<int>(largest - digit_logprobs.begin());
  std::vector<double> weights;
  double total = 0;
  for (const double logprob : digit_logprobs) {
    weights.push_back(std::exp((logprob - *largest) / temperature));
    total += weights.back();
  }
  const double at = uniform * total;
  double sum = 0;
  size_t last = 0;  // the last digit that has any weight: rounding may leave `at` beyond the sum
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) last = i;
    sum += weights[i];
    if (at < sum) break;
  }
  return kMinScore + static_cast<int>(last);
}

}  // namespace srlm::data
