#include "trainer/losses/logit_loss.h"

namespace srlm::trainer {

LossAt IpoLoss(double logit, double beta) {
  const double short_by = logit - 1 / (2 * beta);
  return {short_by * short_by, 2 * short_by};
}

}  // namespace srlm::trainer
