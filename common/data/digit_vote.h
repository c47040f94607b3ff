// A vote that can be nothing but a digit: drawn from the probabilities of the digits after `Score: `.
#pragma once

#include <span>

namespace srlm::data {

/// The score that the number `uniform` in [0, 1) draws from the digits' log-probabilities (in the order of ScoreDigits,
/// at least one), which `temperature` sharpens or flattens and which are then normalised to 1: what sampling gives that
/// may only take one of these tokens. Temperature 0 takes the most likely one, of equal ones the lowest.
int DrawDigit(std::span<const double> digit_logprobs, double temperature, double uniform);

}  // namespace srlm::data
