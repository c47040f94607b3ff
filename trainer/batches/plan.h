// Which samples make which optimiser step, and how a step's samples are shared out to ranks and micro-batches.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "trainer/batches/sample.h"

namespace srlm::trainer {

struct DataOrder {
  int64_t samples = 0;
  int64_t global_batch = 16;  // samples of a step
  double epochs = 1;          // may be a fraction
  int64_t max_steps = 0;      // 0: as the epochs say; else exactly so many, over as many epochs as they need
  bool shuffle = true;
  uint64_t seed = 1;
};

/// Optimiser steps of the whole job. The last batch of an epoch may be smaller.
int64_t TotalSteps(const DataOrder& order);

/// Samples that the steps before `step` take, each as often as it is taken.
int64_t SamplesBefore(const DataOrder& order, int64_t step);

/// The order of `count` rows in an epoch: the file's, or a Fisher-Yates shuffle of it from counted random numbers,
/// whose stream `name` keeps apart from others of the seed.
std::vector<size_t> OrderOfEpoch(std::string_view name, int64_t count, bool shuffle, uint64_t seed, int64_t epoch);

/// Which samples each step takes. A function of the order alone: any step can be asked for at any time (resume). Steps
/// of one epoch one after the other are cheap.
class SampleOrder {
 public:
  explicit SampleOrder(const DataOrder& order);
  /// The samples of `step`, in order.
  std::vector<size_t> Step(int64_t step);
  /// Those of all later steps of the job that step 0 does not have, each once.
  std::vector<size_t> AfterFirstStep();

 private:
  void GoToEpoch(int64_t epoch);

  DataOrder order_;
  int64_t epoch_ = -1;
  std::vector<size_t> of_epoch_;
};

/// A step's micro-batches for every rank: ranks[r][m] are sample indices, some micro-batches empty, as many for each
/// rank.
struct StepPlan {
  std::vector<std::vector<std::vector<size_t>>> ranks;
  size_t micro_batches() const { return ranks.empty() ? 0 : ranks.front().size(); }
};

/// Shares `step_samples` out: the longest first, to the rank with the fewest tokens so far; a rank's samples into
/// micro-batches of at most `micro_batch_tokens` packed tokens (a longer sample has one alone).
StepPlan PlanStep(std::span<const Sample> samples, std::span<const size_t> step_samples, int ranks,
                  int64_t micro_batch_tokens);

}  // namespace srlm::trainer
