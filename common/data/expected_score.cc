#include "common/data/expected_score.h"

#include <algorithm>
#include <cmath>

#include "common/data/judge_template.h"

namespace srlm::data {

std::vector<std::string> ScoreDigits() {
  std::vector<std::string> digits;
  for (int score = kMinScore; score <= kMaxScore; ++score) digits.push_back(std::to_string(score));
  return digits;
}

ExpectedScore ScoreFromLogprobs(std::span<const double> digit_logprobs) {
  ExpectedScore expected;
  const double largest = *std::ranges::max_element(digit_logprobs);
  double total = 0;
  for (const double logprob : digit_logprobs) {
    expected.probabilities.push_back(std::exp(logprob - largest));
    total += expected.probabilities.back();
  }
  for (size_t i = 0; i < digit_logprobs.size(); ++i) {
    expected.probabilities[i] /= total;
    expected.score += expected.probabilities[i] * (kMinScore + static_cast<double>(i));
  }
  return expected;
}

}  // namespace srlm::data
