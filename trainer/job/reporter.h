// Who is told how a job goes on: a run's coordinator (report/coordinator_reporter.h), or nobody.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/status.h"

namespace srlm::trainer {

/// One optimiser step; all values before its update.
struct StepValues {
  int64_t step = 0;  // from 0
  int64_t total_steps = 0;
  double loss =
      0;  // mean over the global batch: its pairs (DPO), its answer tokens (SFT); with all that is added to it
  double learning_rate = 0;
  double grad_norm = 0;  // before clipping
  // DPO only; means over the batch's pairs.
  double rewards_chosen = 0;
  double rewards_rejected = 0;
  double margin = 0;
  double accuracy = 0;
  double logp_chosen = 0;
  double logp_rejected = 0;
  std::optional<double> nll;       // of the chosen answers, a token, mean over the pairs; with --nll-weight
  std::optional<double> sft_loss;  // mean over the answer tokens of the SFT rows mixed in; where the step has some
  int64_t tokens = 0;              // positions computed on all ranks
  double seconds = 0;
  double waited_seconds = 0;  // of these, in which rank 0 waited for others; 0 with one rank
  int64_t sent_bytes = 0;     // of weights and gradients, that rank 0 gave to the others
  // Of the job so far, this step included.
  int64_t total_tokens = 0;
  double total_seconds = 0;
  double first_loss = 0;

  /// False: training diverged, and this step updated nothing.
  bool finite() const { return std::isfinite(loss) && std::isfinite(grad_norm); }
};

/// The saved model.
struct JobResult {
  std::string model_folder;
  std::string model_id;
  int64_t steps = 0;
  int64_t tokens = 0;
  double seconds = 0;  // of all steps
};

/// Used on rank 0 only.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// Something that people should see, with the next report.
  virtual void Note(const std::string& text) = 0;
  /// True: stop before the next step. A failure ends the job; nobody listening for a while is not one.
  virtual Result<bool> Step(const StepValues& values) = 0;
  virtual Status Done(const JobResult& result) = 0;
  /// The job stopped in order after `steps` steps, with a checkpoint; `asked`: because Step said so.
  virtual void Stopped(int64_t steps, bool asked, const std::string& reason) = 0;
  virtual void Failed(const Status& status) = 0;
};

}  // namespace srlm::trainer
