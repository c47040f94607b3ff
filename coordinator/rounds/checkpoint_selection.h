// The choice of a round's model among those that its job saved on its way (docs/method.md): each is compared with the
// one before, until one does not win.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/saved_steps.h"
#include "coordinator/rounds/answer_measures.h"
#include "coordinator/rounds/job_files.h"

namespace srlm::rounds {

/// Whether a model's answers are better than those of the one before: more wins than losses.
bool IsBetter(const data::HeadToHead& against_the_one_before);

class CheckpointSelection {
 public:
  /// Of a job whose saved models are recorded; `row` is its row.
  CheckpointSelection(const Context& context, TrainingJob job, ledger::JobRow row);

  /// Asks for answers and comparisons that the ledger lacks, and goes on when they are there; carries the choice out:
  /// the folder of the chosen model becomes the round's, the others go. Whether that is done. What is decided is on
  /// disk before any folder changes, and begun again it goes on where it stands.
  Result<bool> Advance();
  /// A result; false when it was there already.
  Result<bool> Store(const schedule::Subject& subject, const Finished& finished);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);

  const TrainingJob& job() const { return job_; }
  /// Why the run must pause: too few comparisons could be read. Empty: go on.
  const std::string& problem() const { return problem_; }

  // Of the comparisons that were begun.
  uint64_t open() const { return measures_ == nullptr ? 0 : measures_->open(); }
  uint64_t total() const { return total_ + (measures_ == nullptr ? 0 : measures_->total()); }
  uint64_t failed() const { return failed_ + (measures_ == nullptr ? 0 : measures_->failed()); }

 private:
  std::string Name(size_t saved) const { return SavedName(job_.output, steps_.at(saved)); }
  Status Decide(size_t saved);
  Status CarryOut();

  const Context& context_;
  TrainingJob job_;
  ledger::JobRow row_;
  std::vector<int64_t> steps_;                // after which a model was saved
  size_t next_ = 1;                           // that is compared with the one before
  std::unique_ptr<AnswerMeasures> measures_;  // of these two
  std::vector<data::HeadToHead> compared_;    // of the models before these, each with the one before
  std::string problem_;
  uint64_t total_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace srlm::rounds
