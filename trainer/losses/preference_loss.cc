#include "trainer/losses/preference_loss.h"

namespace srlm::trainer {

PreferenceValues PreferenceLoss(const PreferenceLossOptions& options, const PairValues& pair) {
  const auto chosen_tokens = static_cast<double>(pair.chosen_tokens);
  const auto rejected_tokens = static_cast<double>(pair.rejected_tokens);
  const double scale_chosen = options.length_normalised ? 1 / chosen_tokens : 1;
  const double scale_rejected = options.length_normalised ? 1 / rejected_tokens : 1;
  const double chosen = scale_chosen * (pair.policy.chosen - pair.reference.chosen);
  const double rejected = scale_rejected * (pair.policy.rejected - pair.reference.rejected);
  const double smoothing = options.label_smoothing;
  const double p = pair.chosen_probability * (1 - smoothing) + (1 - pair.chosen_probability) * smoothing;
  const LossAt right = options.loss->at(chosen - rejected, options.beta);
  const LossAt wrong = options.loss->at(rejected - chosen, options.beta);
  const double slope = p * right.slope - (1 - p) * wrong.slope;

  PreferenceValues values;
  values.reward_chosen = options.beta * chosen;
  values.reward_rejected = options.beta * rejected;
  values.margin = values.reward_chosen - values.reward_rejected;
  values.nll = -pair.policy.chosen / chosen_tokens;
  values.loss = p * right.loss + (1 - p) * wrong.loss + options.nll_weight * values.nll;
  values.gradient_of_chosen = slope * scale_chosen - options.nll_weight / chosen_tokens;
  values.gradient_of_rejected = -slope * scale_rejected;
  return values;
}

}  // namespace srlm::trainer
