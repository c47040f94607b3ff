// Optimiser steps of SFT and DPO on one network, data-parallel over the ranks of a communicator.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "trainer/batches/plan.h"
#include "trainer/batches/sample.h"
#include "trainer/job/options.h"
#include "trainer/job/reporter.h"
#include "trainer/losses/preference_loss.h"
#include "trainer/network/network.h"
#include "trainer/optimizer/adamw.h"

namespace srlm::trainer {

/// The part of TrainerOptions that says what a step computes.
struct StepOptions {
  Method method = Method::kDpo;
  PreferenceLossOptions preference;  // DPO
  double sft_weight = 1;             // DPO: of the loss of the SFT rows mixed in
  double max_grad_norm = 1.0;
  double dropout = 0;
  uint64_t dropout_seed = 0;
  int64_t micro_batch_tokens = 1024;
};

/// All ranks call the same members in the same order.
class Trainer {
 public:
  /// Borrows everything. `samples` are the same on every rank. `optimizer` may be null when no Step is to come.
  Trainer(const StepOptions& options, std::span<const Sample> samples, Network& network, AdamW* optimizer,
          parallel::Communicator& communicator);

  /// Summed log-probabilities of the responses of samples[i] for each i of `indices`, shared out to the ranks and given
  /// to all. [indices][responses]
  Result<std::vector<std::vector<double>>> SequenceLogp(std::span<const size_t> indices);

  /// DPO: makes the reference values of `indices` that rows did not bring, by one pass of the network as it is now.
  Status ComputeReference(std::span<const size_t> indices);
  /// DPO: samples of `indices` without reference values take those of the next step's own forward: right while the
  /// network is still the reference.
  void ReferenceIsPolicy(std::span<const size_t> indices);

  /// All samples' reference values, chosen and rejected one after the other; not a number where there is none yet. What
  /// step 0 took from its own forward cannot be computed again later. Those of pairs, which come before all SFT rows;
  /// empty without pairs.
  std::vector<double> reference_values() const;
  void set_reference_values(std::span<const double> values);

  /// Optimiser step number `step`, which says what dropout drops, over samples[i] for each i of `step_samples`; in DPO
  /// those with one response are SFT rows mixed in, one or several times each. Fills all but step and total_steps. When
  /// the loss or the gradients are not finite, which all ranks see alike, nothing is updated. Fails when a rank is gone
  /// or hangs.
  Result<StepValues> Step(int64_t step, std::span<const size_t> step_samples, double learning_rate);

 private:
  struct Sums;
  SequenceGradient GradientOf(std::span<const size_t> step_samples, Sums& sums);
  void AddSft(double share, double logp, double& d_logp, Sums& sums) const;
  void AddPair(size_t sample, double share, std::span<const double> logp, std::span<double> d_logp, Sums& sums);
  Status ShareNewReferences(std::span<const size_t> step_samples, const StepPlan& plan);

  StepOptions options_;
  std::span<const Sample> samples_;
  Network& network_;
  AdamW* optimizer_;
  parallel::Communicator& communicator_;
  std::vector<std::array<double, 2>> reference_;  // by sample: chosen, rejected
  std::vector<bool> has_reference_;
  std::vector<bool> reference_is_policy_;
};

}  // namespace srlm::trainer
