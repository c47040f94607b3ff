// One training job, from its data to its model.
#pragma once

#include <optional>
#include <string>

#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/job_files.h"
#include "srlm/v1/training.pb.h"

namespace srlm::rounds {

class Training {
 public:
  /// `launcher` null: somebody starts the job by hand.
  Training(const Context& context, TrainingJob job, launcher::Launcher* launcher, std::string program_folder);

  /// Begins the job, starts it again after a back-off when it ended without its model or fell silent, and notices its
  /// end. Fails when the job cannot be done: the trainer said so, or it ended max_relaunches times without getting
  /// further; an end for lack of room on its disk does not count, and it is launched again when there is some.
  Status Advance(Clock::time_point now);

  /// Nobody could be heard for so long, until now: silence and the times to end are counted as much longer.
  void Extend(Clock::duration span, Clock::time_point now);

  /// Whether the model, or those among which it is chosen, are recorded and the trainer's ranks have ended.
  bool done() const { return delivered() && !launched_; }
  const ledger::JobRow& row() const { return row_; }
  const TrainingJob& job() const { return job_; }
  /// The present launch: reports of others are not for this object.
  const std::string& launch_id() const { return spec_.id; }
  /// Tokens a second in the last step.
  double tokens_per_second() const { return tokens_per_second_; }

  // training_hold.cc
  /// Instead of Advance while the run is held: asks the trainer to save a checkpoint and end; whether its ranks are
  /// gone. It is no failure of the job. One that does not listen is ended, and resumes from an earlier checkpoint.
  Result<bool> Hold();
  /// Goes on after Hold.
  void Release();
  /// Whether the trainer is to stop at its next report.
  bool stop() const { return stop_; }

  // Reports of the trainer; job id, launch id and epoch are already checked.
  Status Progress(const v1::TrainingProgress& progress);
  Status Done(const v1::TrainingDone& done);
  Status Stopped(const v1::TrainingStopped& stopped);
  Status Failed(const v1::TrainingFailed& failed);

 private:
  bool delivered() const { return row_.state == "done" || row_.state == "selecting"; }
  Status Begin();
  Result<bool> AdoptModel();
  Status StartTrainer(Clock::time_point now);
  Status EndIfSilent(Clock::time_point now);
  Status Record(const std::string& model_id);
  Status RecordSaved(const std::string& last_model_id);
  template <class Report>
  Status RecordNotes(const Report& report);
  Status NoticeEnd(const launcher::LaunchStatus& status, Clock::time_point now);

  const Context& context_;
  TrainingJob job_;
  launcher::Launcher* launcher_;
  std::string program_folder_;
  ledger::JobRow row_;
  bool begun_ = false;
  bool launched_ = false;  // ranks that we started run
  launcher::LaunchSpec spec_;
  Clock::time_point heard_{};        // of the present launch, or its start
  bool silent_ = false;              // it was ended for its silence
  std::optional<Deadline> end_by_;   // for ranks that have delivered their model, or stopped
  bool ours_ = false;                // what is in the output's folder was made for this very job
  std::string failure_;              // that the trainer reported and that no other launch would mend
  std::string reported_;             // what the present launch said about its end
  int failures_ = 0;                 // ends without getting further
  bool no_room_ = false;             // the present launch said that its disk has none
  int pauses_ = 0;                   // for lack of room, when it was launched
  int room_failures_ = 0;            // such ends, without getting further
  uint64_t furthest_ = 0;            // steps done by the launch that got furthest
  bool further_ = false;             // the present launch got further than all before
  bool stopped_ = false;             // the present launch stopped in order
  bool stop_ = false;                // asked for by Hold
  std::optional<Deadline> hold_by_;  // for ranks that were asked to stop
  Clock::time_point next_start_{};
  double tokens_per_second_ = 0;
};

}  // namespace srlm::rounds
