// The sigmoid loss of Direct Preference Optimization (Rafailov et al., arXiv 2305.18290), eq. 7.
#pragma once

namespace srlm::trainer {

/// Summed log-probabilities of a pair's two responses under one model.
struct PairLogp {
  double chosen = 0;
  double rejected = 0;
};

/// One pair's loss and what is logged of it. Rewards are beta x (log pi - log pi_ref).
struct DpoValues {
  double loss = 0;  // -log sigmoid(margin)
  double reward_chosen = 0;
  double reward_rejected = 0;
  double margin = 0;              // reward_chosen - reward_rejected
  double gradient_of_chosen = 0;  // d loss / d log pi(chosen); that of the rejected one is its negative
};

DpoValues DpoLoss(const PairLogp& policy, const PairLogp& reference, double beta);

}  // namespace srlm::trainer
