#include "trainer/job/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/clock.h"
#include "trainer/batches/pack.h"

namespace srlm::trainer {

namespace {

/// Rows that are no pair have one response: those of SFT.
bool IsPair(const Sample& sample) { return sample.responses.size() == 2; }

}  // namespace

/// Sums over a step's samples, added up over ranks as one float64 vector.
struct Trainer::Sums {
  enum Index {
    kLoss,
    kRewardChosen,
    kRewardRejected,
    kMargin,
    kRight,
    kLogpChosen,
    kLogpRejected,
    kNll,
    kSft,
    kTokens,
    kCount
  };
  std::array<double, kCount> values = {};
  double& operator[](Index index) { return values[index]; }
};

Trainer::Trainer(const StepOptions& options, std::span<const Sample> samples, Network& network, AdamW* optimizer,
                 parallel::Communicator& communicator)
    : options_(options),
      samples_(samples),
      network_(network),
      optimizer_(optimizer),
      communicator_(communicator),
      reference_(samples.size()),
      has_reference_(samples.size(), false),
      reference_is_policy_(samples.size(), false) {
  for (size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i].reference_logp) continue;
    reference_[i] = *samples[i].reference_logp;
    has_reference_[i] = true;
  }
}

Result<std::vector<std::vector<double>>> Trainer::SequenceLogp(std::span<const size_t> indices) {
  const StepPlan plan = PlanStep(samples_, indices, communicator_.size(), options_.micro_batch_tokens);
  std::vector<size_t> place(samples_.size() + 1, 0);  // of each sample's first value
  for (size_t i = 0; i < samples_.size(); ++i) place[i + 1] = place[i] + samples_[i].responses.size();
  std::vector<double> values(place.back(), 0.0);
  for (const auto& micro_batch : plan.ranks[static_cast<size_t>(communicator_.rank())]) {
    const Pack pack = MakePack(samples_, micro_batch);
    SRLM_ASSIGN_OR_RETURN(const std::vector<double> logp, network_.SequenceLogp(pack));
    for (const PackedSample& sample : pack.samples) {
      std::copy(logp.begin() + static_cast<int64_t>(sample.sequence_begin),
                logp.begin() + static_cast<int64_t>(sample.sequence_end),
                values.begin() + static_cast<int64_t>(place[sample.sample]));
    }
  }
  SRLM_RETURN_IF_ERROR(communicator_.AllReduceSum(parallel::BufferOf(std::span(values)), "log-probabilities"));
  std::vector<std::vector<double>> result;
  for (const size_t index : indices) {
    result.emplace_back(values.begin() + static_cast<int64_t>(place[index]),
                        values.begin() + static_cast<int64_t>(place[index + 1]));
  }
  return result;
}

Status Trainer::ComputeReference(std::span<const size_t> indices) {
  std::vector<size_t> missing;
  for (const size_t index : indices) {
    if (!has_reference_[index] && !reference_is_policy_[index]) missing.push_back(index);
  }
  if (missing.empty()) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const auto logp, SequenceLogp(missing));
  for (size_t i = 0; i < missing.size(); ++i) {
    reference_[missing[i]] = {logp[i][0], logp[i][1]};
    has_reference_[missing[i]] = true;
  }
  return OkStatus();
}

void Trainer::ReferenceIsPolicy(std::span<const size_t> indices) {
  for (const size_t index : indices) reference_is_policy_[index] = !has_reference_[index];
}

std::vector<double> Trainer::reference_values() const {
  std::vector<double> values;
  for (size_t i = 0; i < reference_.size() && IsPair(samples_[i]); ++i) {
    for (const double value : reference_[i]) {
      values.push_back(has_reference_[i] ? value : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return values;
}

void Trainer::set_reference_values(std::span<const double> values) {
  for (size_t i = 0; 2 * i < values.size(); ++i) {
    reference_[i] = {values[2 * i], values[2 * i + 1]};
    has_reference_[i] = !std::isnan(values[2 * i]);
    reference_is_policy_[i] = false;
  }
}

/// Means over a step: `share` is 1 / (all answer tokens of its SFT rows), or 1 / (its pairs).
SequenceGradient Trainer::GradientOf(std::span<const size_t> step_samples, Sums& sums) {
  int64_t answer_tokens = 0, pairs = 0;
  for (const size_t index : step_samples) {
    if (IsPair(samples_[index])) {
      ++pairs;
    } else {
      answer_tokens += samples_[index].response_tokens();
    }
  }
  const double share_of_token = 1 / static_cast<double>(std::max<int64_t>(answer_tokens, 1));
  const double share_of_pair = 1 / static_cast<double>(std::max<int64_t>(pairs, 1));
  return [this, share_of_token, share_of_pair, &sums](size_t sample, std::span<const double> logp,
                                                      std::span<double> d_logp) {
    if (IsPair(samples_[sample])) {
      AddPair(sample, share_of_pair, logp, d_logp, sums);
    } else {
      AddSft(share_of_token, logp[0], d_logp[0], sums);
    }
  };
}

void Trainer::AddSft(double share, double logp, double& d_logp, Sums& sums) const {
  const double weight = options_.method == Method::kSft ? 1 : options_.sft_weight;
  sums[Sums::kSft] -= logp * share;
  sums[Sums::kLoss] -= weight * logp * share;
  d_logp = -weight * share;
}

void Trainer::AddPair(size_t sample, double share, std::span<const double> logp, std::span<double> d_logp, Sums& sums) {
  if (reference_is_policy_[sample]) {
    reference_[sample] = {logp[0], logp[1]};
    has_reference_[sample] = true;
  }
  SRLM_CHECK(has_reference_[sample], "a pair without reference values");
  const PreferenceValues pair = PreferenceLoss(
      options_.preference, {.policy = {logp[0], logp[1]},
                            .reference = {reference_[sample][0], reference_[sample][1]},
                            .chosen_tokens = static_cast<int64_t>(samples_[sample].responses[0].size()),
                            .rejected_tokens = static_cast<int64_t>(samples_[sample].responses[1].size()),
                            .chosen_probability = samples_[sample].chosen_probability});
  sums[Sums::kLoss] += pair.loss * share;
  sums[Sums::kNll] += pair.nll * share;
  sums[Sums::kRewardChosen] += pair.reward_chosen * share;
  sums[Sums::kRewardRejected] += pair.reward_rejected * share;
  sums[Sums::kMargin] += pair.margin * share;
  sums[Sums::kRight] += pair.margin > 0 ? share : 0;
  sums[Sums::kLogpChosen] += logp[0] * share;
  sums[Sums::kLogpRejected] += logp[1] * share;
  d_logp[0] = pair.gradient_of_chosen * share;
  d_logp[1] = pair.gradient_of_rejected * share;
}

Status Trainer::ShareNewReferences(std::span<const size_t> step_samples, const StepPlan& plan) {
  std::vector<size_t> fresh;  // the same on every rank
  for (const size_t index : step_samples) {
    if (reference_is_policy_[index]) fresh.push_back(index);
  }
  if (fresh.empty()) return OkStatus();
  std::vector<bool> mine(samples_.size(), false);
  for (const auto& micro_batch : plan.ranks[static_cast<size_t>(communicator_.rank())]) {
    for (const size_t index : micro_batch) mine[index] = true;
  }
  std::vector<double> values(2 * fresh.size(), 0.0);
  for (size_t i = 0; i < fresh.size(); ++i) {
    if (mine[fresh[i]]) std::ranges::copy(reference_[fresh[i]], values.begin() + static_cast<int64_t>(2 * i));
  }
  SRLM_RETURN_IF_ERROR(communicator_.AllReduceSum(parallel::BufferOf(std::span(values)), "reference values"));
  for (size_t i = 0; i < fresh.size(); ++i) {
    reference_[fresh[i]] = {values[2 * i], values[2 * i + 1]};
    has_reference_[fresh[i]] = true;
    reference_is_policy_[fresh[i]] = false;
  }
  return OkStatus();
}

Result<StepValues> Trainer::Step(int64_t step, std::span<const size_t> step_samples, double learning_rate) {
  const Clock::time_point begin = Clock::now();
  // 1. Every rank computes the same plan; it runs its own part, as many micro-batches as the others.
  const StepPlan plan = PlanStep(samples_, step_samples, communicator_.size(), options_.micro_batch_tokens);
  const auto& micro_batches = plan.ranks[static_cast<size_t>(communicator_.rank())];
  // 2. Gradients of the mean over the global batch; sums begin while the last micro-batch goes backward.
  Sums sums;
  const SequenceGradient gradient = GradientOf(step_samples, sums);
  network_.set_dropout(
      {options_.dropout, RandomStream(options_.dropout_seed, {StreamId("dropout"), static_cast<uint64_t>(step)})});
  Parameters& parameters = network_.parameters();
  const Traffic before = parameters.traffic();
  parameters.BeginStep();
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const Pack pack = MakePack(samples_, micro_batches[i]);
    sums[Sums::kTokens] += static_cast<double>(pack.size());
    const bool last = i + 1 == micro_batches.size();
    SRLM_RETURN_IF_ERROR(network_.ForwardBackward(pack, gradient, last).status());
  }
  SRLM_RETURN_IF_ERROR(parameters.FinishGradients());
  const Clock::time_point computed = Clock::now();
  SRLM_RETURN_IF_ERROR(communicator_.AllReduceSum(parallel::BufferOf(std::span<double>(sums.values)), "step values"));
  // Reference values taken from this step's own forward stay with the rank that computed them: share them out.
  if (options_.method == Method::kDpo) SRLM_RETURN_IF_ERROR(ShareNewReferences(step_samples, plan));
  StepValues values;
  values.waited_seconds = SecondsSince(computed);
  SRLM_ASSIGN_OR_RETURN(values.grad_norm, parameters.GradientNorm());
  // 3. The update, of what this rank owns.
  if (std::isfinite(sums[Sums::kLoss]) && std::isfinite(values.grad_norm)) {
    const Clock::time_point updating = Clock::now();
    optimizer_->Step(learning_rate, ClippingScale(values.grad_norm, options_.max_grad_norm), parameters.Owned());
    if (parameters.trace() != nullptr) parameters.trace()->Computed("update", updating);
    SRLM_RETURN_IF_ERROR(parameters.PublishWeights());
  }
  values.waited_seconds += parameters.traffic().waited_s - before.waited_s;
  if (communicator_.size() == 1) values.waited_seconds = 0;
  values.sent_bytes = parameters.traffic().bytes - before.bytes;
  values.loss = sums[Sums::kLoss];
  values.learning_rate = learning_rate;
  values.rewards_chosen = sums[Sums::kRewardChosen];
  values.rewards_rejected = sums[Sums::kRewardRejected];
  values.margin = sums[Sums::kMargin];
  values.accuracy = sums[Sums::kRight];
  values.logp_chosen = sums[Sums::kLogpChosen];
  values.logp_rejected = sums[Sums::kLogpRejected];
  if (options_.method == Method::kDpo && options_.preference.nll_weight != 0) values.nll = sums[Sums::kNll];
  if (options_.method == Method::kDpo &&
      std::ranges::any_of(step_samples, [this](size_t index) { return !IsPair(samples_[index]); })) {
    values.sft_loss = sums[Sums::kSft];
  }
  values.tokens = static_cast<int64_t>(sums[Sums::kTokens]);
  values.seconds = SecondsSince(begin);
  return values;
}

}  // namespace srlm::trainer
