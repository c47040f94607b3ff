// The loss of a pair: one of logit_loss.h, for labels that may be wrong, with or without the answers' lengths.
#pragma once

#include <cstdint>

#include "trainer/losses/logit_loss.h"

namespace srlm::trainer {

/// Log-probabilities of a pair's two responses under one model, each summed over its tokens.
struct PairLogp {
  double chosen = 0;
  double rejected = 0;
};

/// What a loss needs of a pair.
struct PairValues {
  PairLogp policy;
  PairLogp reference;
  int64_t chosen_tokens = 1;  // end of turn included
  int64_t rejected_tokens = 1;
  double chosen_probability = 1;  // that chosen is the better one: CREAM's soft label (arXiv 2410.12735)
};

/// With p = chosen_probability (1 - label_smoothing) + (1 - chosen_probability) label_smoothing, the loss of a pair is
/// p L(z) + (1 - p) L(-z). With certain labels and the sigmoid loss, that is conservative DPO (Mitchell 2023,
/// "A note on DPO with noisy preferences"); with other labels, CREAM.
struct PreferenceLossOptions {
  const LogitLoss* loss = FindLogitLoss("sigmoid");
  double beta = 0.1;
  double label_smoothing = 0;      // how often labels are wrong, 0 to 0.5
  bool length_normalised = false;  // each answer's log pi - log ref is divided by its tokens (Tulu 3, arXiv 2411.15124)
  double nll_weight = 0;           // adds so many times -log pi(chosen) / its tokens (arXiv 2404.19733)
};

/// One pair's loss, its derivatives and what is logged of it.
struct PreferenceValues {
  double loss = 0;
  double reward_chosen = 0;  // beta x (log pi - log ref), divided by tokens where the loss does
  double reward_rejected = 0;
  double margin = 0;                // reward_chosen - reward_rejected
  double nll = 0;                   // of the chosen answer, a token
  double gradient_of_chosen = 0;    // d loss / d log pi(chosen)
  double gradient_of_rejected = 0;  // d loss / d log pi(rejected)
};

PreferenceValues PreferenceLoss(const PreferenceLossOptions& options, const PairValues& pair);

}  // namespace srlm::trainer
