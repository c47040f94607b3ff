#include <algorithm>
#include <cmath>

#include "trainer/losses/logit_loss.h"

namespace srlm::trainer {

LossAt SigmoidLoss(double logit, double beta) {
  const double margin = beta * logit;
  // log(1 + exp(-margin)) without overflow on either side.
  const double loss = std::max(-margin, 0.0) + std::log1p(std::exp(-std::abs(margin)));
  const double probability_wrong =
      margin >= 0 ? std::exp(-margin) / (1 + std::exp(-margin)) : 1 / (1 + std::exp(margin));
  return {loss, -beta * probability_wrong};
}

}  // namespace srlm::trainer
