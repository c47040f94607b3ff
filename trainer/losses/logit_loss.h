// A pair's loss as a function of one number, and which ones there are. A new one is a file beside sigmoid_loss.cc, a
// declaration and a row of the table in logit_loss.cc, and its test.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace srlm::trainer {

/// A loss at a logit z = (log pi(c) - log ref(c)) - (log pi(r) - log ref(r)), and its derivative by z.
struct LossAt {
  double loss = 0;
  double slope = 0;
};

/// -log sigmoid(beta z): Direct Preference Optimization (Rafailov et al., arXiv 2305.18290, eq. 7).
LossAt SigmoidLoss(double logit, double beta);

/// (z - 1 / (2 beta))^2: Identity Preference Optimisation (Azar et al., arXiv 2310.12036, eq. 17, where beta is tau).
LossAt IpoLoss(double logit, double beta);

struct LogitLoss {
  std::string_view name;  // as configured
  LossAt (*at)(double logit, double beta);
};

/// All losses.
std::span<const LogitLoss> LogitLosses();
/// The one of that name; null when there is none.
const LogitLoss* FindLogitLoss(std::string_view name);

}  // namespace srlm::trainer
