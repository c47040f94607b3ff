#include "common/data/length_control.h"

#include <cmath>
#include <vector>

#include "common/data/logistic.h"

namespace srlm::data {
namespace {

struct Fit {
  double theta = 0;
  double phi = 0;
};

/// Negative log-likelihood with its penalty.
double Loss(std::span<const LengthOutcome> outcomes, const std::vector<double>& x, const Fit& fit) {
  double loss = fit.phi * fit.phi / 2;
  for (size_t i = 0; i < x.size(); ++i) {
    const double z = fit.theta + fit.phi * x[i];
    loss += SoftPlus(z) - outcomes[i].win * z;
  }
  return loss;
}

/// Newton's step at `fit`.
Fit Step(std::span<const LengthOutcome> outcomes, const std::vector<double>& x, const Fit& fit) {
  double g0 = 0, g1 = fit.phi, h00 = 0, h01 = 0, h11 = 1;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = Sigmoid(fit.theta + fit.phi * x[i]), w = p * (1 - p), error = p - outcomes[i].win;
    g0 += error, g1 += error * x[i];
    h00 += w, h01 += w * x[i], h11 += w * x[i] * x[i];
  }
  const double determinant = h00 * h11 - h01 * h01;
  return {-(h11 * g0 - h01 * g1) / determinant, -(h00 * g1 - h01 * g0) / determinant};
}

}  // namespace

std::optional<double> LengthControlledWinRate(std::span<const LengthOutcome> outcomes) {
  if (outcomes.empty()) return std::nullopt;
  double wins = 0, squares = 0;
  for (const LengthOutcome& outcome : outcomes) wins += outcome.win, squares += outcome.longer_by * outcome.longer_by;
  const auto n = static_cast<double>(outcomes.size());
  if (wins == 0 || wins == n || squares == 0) return wins / n;
  const double scale = std::sqrt(squares / n);
  std::vector<double> x;
  for (const LengthOutcome& outcome : outcomes) x.push_back(std::tanh(outcome.longer_by / scale));

  // The loss is convex and has a minimum: both outcomes occur, and phi is penalised.
  constexpr int kMostSteps = 50;
  constexpr double kClose = 1e-10;
  Fit fit{std::log(wins / (n - wins)), 0};
  double loss = Loss(outcomes, x, fit);
  for (int i = 0; i < kMostSteps; ++i) {
    const Fit step = Step(outcomes, x, fit);
    double share = 1;
    Fit next = fit;
    double next_loss = loss;
    do {
      next = {fit.theta + share * step.theta, fit.phi + share * step.phi};
      next_loss = Loss(outcomes, x, next);
      share /= 2;
    } while (next_loss > loss && share > kClose);
    if (next_loss > loss) break;
    const bool close = std::abs(next.theta - fit.theta) + std::abs(next.phi - fit.phi) < kClose;
    fit = next, loss = next_loss;
    if (close) break;
  }
  return Sigmoid(fit.theta);
}

}  // namespace srlm::data
