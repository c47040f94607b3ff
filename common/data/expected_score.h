// The score of an answer from the probabilities of the digits after `Score: `, in one forward pass.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace srlm::data {

/// "0" to "5": what may follow `Score: `, in order of score.
std::vector<std::string> ScoreDigits();

struct ExpectedScore {
  double score = 0;                   // expected value over the digits
  std::vector<double> probabilities;  // of the digits, normalised to 1
};

/// From the digits' log-probabilities, in the order of ScoreDigits; there is at least one.
ExpectedScore ScoreFromLogprobs(std::span<const double> digit_logprobs);

}  // namespace srlm::data
