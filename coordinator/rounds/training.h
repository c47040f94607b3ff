// One training job, from its data to its model.
#pragma once

#include <optional>
#include <string>

#include "coordinator/rounds/job_files.h"
#include "srlm/v1/training.pb.h"

namespace srlm::rounds {

class Training {
 public:
  /// `launcher` null: somebody starts the job by hand.
  Training(const Context& context, TrainingJob job, launcher::Launcher* launcher, std::string program_folder);

  /// Begins the job, starts it again after a back-off when it ended without its model, and notices its end. Fails
  /// when the job cannot be done: the trainer said so, or it ended max_relaunches times without a step between.
  Status Advance(Clock::time_point now);

  /// Whether the model is recorded and the trainer's ranks have ended.
  bool done() const { return row_.state == "done" && !launched_; }
  const ledger::JobRow& row() const { return row_; }
  const TrainingJob& job() const { return job_; }
  /// Tokens a second in the last step.
  double tokens_per_second() const { return tokens_per_second_; }

  // Reports of the trainer; job id and epoch are already checked.
  Status Progress(const v1::TrainingProgress& progress);
  Status Done(const v1::TrainingDone& done);
  Status Failed(const v1::TrainingFailed& failed);

 private:
  Status Begin();
  Status StartTrainer();
  Status NoticeEnd(const launcher::LaunchStatus& status, Clock::time_point now);

  const Context& context_;
  TrainingJob job_;
  launcher::Launcher* launcher_;
  std::string program_folder_;
  ledger::JobRow row_;
  bool begun_ = false;
  bool launched_ = false;  // ranks that we started run
  launcher::LaunchSpec spec_;
  std::optional<Deadline> end_by_;  // for ranks that have delivered their model
  std::string failure_;             // what the trainer said
  int failures_ = 0;                // ends without a step between
  bool stepped_ = false;            // since it was started
  Clock::time_point next_start_{};
  double tokens_per_second_ = 0;
};

}  // namespace srlm::rounds
