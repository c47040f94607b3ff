#include "trainer/losses/dpo.h"

#include <algorithm>
#include <cmath>

namespace srlm::trainer {

DpoValues DpoLoss(const PairLogp& policy, const PairLogp& reference, double beta) {
  DpoValues values;
  values.reward_chosen = beta * (policy.chosen - reference.chosen);
  values.reward_rejected = beta * (policy.rejected - reference.rejected);
  values.margin = values.reward_chosen - values.reward_rejected;
  // log(1 + exp(-margin)) without overflow on either side.
  values.loss = std::max(-values.margin, 0.0) + std::log1p(std::exp(-std::abs(values.margin)));
  const double probability_wrong = values.margin >= 0 ? std::exp(-values.margin) / (1 + std::exp(-values.margin))
                                                      : 1 / (1 + std::exp(values.margin));
  values.gradient_of_chosen = -beta * probability_wrong;
  return values;
}

}  // namespace srlm::trainer
