// What a win rate would be at equal lengths, by a regression on the difference of lengths.
#pragma once

#include <optional>
#include <span>

namespace srlm::data {

/// One comparison: 1 won, 1/2 tied, 0 lost; and how many characters longer the winner-to-be's answer is.
struct LengthOutcome {
  double win = 0;
  double longer_by = 0;
};

/// The win rate at equal lengths: sigmoid(theta) of the logistic regression
///     P(win) = sigmoid(theta + phi * tanh(longer_by / s)),   s = root mean square of longer_by,
/// fitted by maximum likelihood with the penalty phi^2 / 2 (the idea of AlpacaEval 2's length-controlled win rate,
/// arXiv 2404.04475, without its term for the instruction's difficulty, which needs many models). Where all lengths are
/// equal, or all were won or all lost, it is the raw win rate. None without an outcome.
std::optional<double> LengthControlledWinRate(std::span<const LengthOutcome> outcomes);

}  // namespace srlm::data
