#include "common/data/elo.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/data/logistic.h"

namespace srlm::data {
namespace {

constexpr double kPenalty = 0.01;

double Loss(const WinMatrix& wins, const std::vector<double>& scores) {
  double loss = 0;
  for (size_t m = 0; m < wins.size(); ++m) {
    loss += kPenalty / 2 * scores[m] * scores[m];
    for (size_t n = 0; n < wins.size(); ++n) loss += wins[m][n] * SoftPlus(scores[n] - scores[m]);
  }
  return loss;
}

/// The solution of a symmetric positive definite system, whose matrix is used up.
std::vector<double> Solve(WinMatrix matrix, std::vector<double> values) {
  const size_t size = values.size();
  for (size_t column = 0; column < size; ++column) {
    for (size_t row = column + 1; row < size; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (size_t i = column; i < size; ++i) matrix[row][i] -= factor * matrix[column][i];
      values[row] -= factor * values[column];
    }
  }
  for (size_t row = size; row-- > 0;) {
    for (size_t i = row + 1; i < size; ++i) values[row] -= matrix[row][i] * values[i];
    values[row] /= matrix[row][row];
  }
  return values;
}

/// Newton's step from `scores`.
std::vector<double> Step(const WinMatrix& wins, const std::vector<double>& scores) {
  const size_t size = wins.size();
  std::vector<double> uphill(size);
  WinMatrix curvature(size, std::vector<double>(size));
  for (size_t m = 0; m < size; ++m) {
    uphill[m] -= kPenalty * scores[m];
    curvature[m][m] += kPenalty;
    for (size_t n = 0; n < size; ++n) {
      const double lost = wins[m][n] * Sigmoid(scores[n] - scores[m]);
      const double bend = lost * Sigmoid(scores[m] - scores[n]);
      uphill[m] += lost, uphill[n] -= lost;
      curvature[m][m] += bend, curvature[n][n] += bend;
      curvature[m][n] -= bend, curvature[n][m] -= bend;
    }
  }
  return Solve(std::move(curvature), std::move(uphill));
}

}  // namespace

PlaceWeights WeighPlaces(int64_t first_wins, int64_t second_wins) {
  if (first_wins + second_wins == 0) return {};
  const auto all = static_cast<double>(first_wins + second_wins);
  return {static_cast<double>(second_wins) / all, static_cast<double>(first_wins) / all};
}

// The loss is strictly convex: Newton's steps, halved while they overshoot, lead to its one minimum.
std::vector<double> EloScores(const WinMatrix& wins) {
  constexpr int kMostSteps = 200;
  constexpr double kClose = 1e-11, kUnit = 1e-6;
  std::vector<double> scores(wins.size());
  double loss = Loss(wins, scores);
  for (int i = 0; i < kMostSteps; ++i) {
    const std::vector<double> step = Step(wins, scores);
    double share = 1, longest = 0;
    for (const double each : step) longest = std::max(longest, std::abs(each));
    std::vector<double> next(scores.size());
    double next_loss = loss;
    for (; share * longest > kClose; share /= 2) {
      for (size_t m = 0; m < scores.size(); ++m) next[m] = scores[m] + share * step[m];
      next_loss = Loss(wins, next);
      if (next_loss < loss) break;
    }
    if (share * longest <= kClose || !(next_loss < loss)) break;
    scores = next, loss = next_loss;
  }
  for (double& score : scores) score = std::round(score / kUnit) * kUnit + 0.0;  // no -0
  return scores;
}

}  // namespace srlm::data
