#include "coordinator/rounds/training.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "coordinator/rounds/launches.h"
#include "coordinator/rounds/trainer_command.h"

namespace srlm::rounds {

namespace fs = std::filesystem;

Training::Training(const Context& context, TrainingJob job, launcher::Launcher* launcher, std::string program_folder)
    : context_(context), job_(std::move(job)), launcher_(launcher), program_folder_(std::move(program_folder)) {}

Status Training::Begin() {
  begun_ = true;
  SRLM_ASSIGN_OR_RETURN(const auto earlier, context_.ledger.Job(job_.job_id));
  JobFiles files;
  SRLM_RETURN_IF_ERROR(context_.WithRoom([&] {
    SRLM_ASSIGN_OR_RETURN(files, WriteJobFiles(context_, job_));
    return OkStatus();
  }));
  ours_ = files.as_before;
  if (files.discarded_checkpoints)
    SRLM_RETURN_IF_ERROR(context_.Event("warning", job_.round, "job_begins_anew",
                                        fmt::format("{}: its arguments, ranks or data changed, so its checkpoints are "
                                                    "removed and it begins at step 0",
                                                    job_.job_id)));
  if (earlier && ours_) row_ = *earlier;
  if (earlier) row_.tries = earlier->tries;
  furthest_ = row_.step;
  row_.job_id = job_.job_id;
  row_.kind = job_.kind;
  row_.round = job_.round;
  row_.output_model = job_.output;
  row_.state = "running";
  row_.rows = files.rows;
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event("info", job_.round, "job_began",
                        fmt::format("{} on {} rows makes {}", job_.job_id, row_.rows, job_.output));
}

/// Takes a model that a launch of this job has saved, without living to say so. Whether there was one. Of a job that
/// saves several its next launch finds what is there.
Result<bool> Training::AdoptModel() {
  if (Selects(context_.config, job_.kind)) return false;
  const std::string folder = OutputFolder(context_, job_);
  std::error_code error;
  if (!ours_ || !fs::exists(folder + "/" + kManifestFile, error)) return false;
  const auto manifest = ReadManifest(folder);
  if (!manifest.ok() || !VerifyManifest(folder, *manifest).ok()) return false;
  SRLM_RETURN_IF_ERROR(Record(manifest->ModelId()));
  return true;
}

Status Training::StartTrainer(Clock::time_point now) {
  SRLM_ASSIGN_OR_RETURN(const bool adopted, AdoptModel());
  if (adopted) return OkStatus();
  if (context_.room != nullptr) {
    const int pauses = context_.room->pauses();
    SRLM_RETURN_IF_ERROR(context_.room->WaitFor({BytesToTrain(context_, job_), "training " + job_.job_id}).status());
    if (context_.room->pauses() != pauses) return OkStatus();  // time has passed, and a person may want something else
    pauses_ = pauses;
  }
  std::error_code error;
  fs::remove_all(OutputFolder(context_, job_), error);
  if (launcher_ != nullptr) RemoveUnfinishedModels(context_, job_);  // else somebody's trainer may be saving there
  ours_ = true;
  ++row_.tries;
  further_ = false;
  no_room_ = false;
  stopped_ = false;
  end_by_.reset();
  silent_ = false;
  heard_ = now;
  reported_.clear();
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  // One that a person started outlives its coordinator, and may report to the next.
  const std::string launch_id = launcher_ == nullptr ? job_.job_id + "-by-hand"
                                                     : fmt::format("{}-{}-{}", job_.job_id, context_.epoch, row_.tries);
  spec_ = TrainerSpec(context_, job_, program_folder_, launch_id);
  launched_ = true;
  if (launcher_ != nullptr) return StartRecorded(context_, *launcher_, spec_);
  context_.notice(fmt::format("{} waits for its training job; start it where its cores are:\n  {}", job_.output,
                              launcher::ShellCommand(spec_)));
  return OkStatus();
}

Status Training::Advance(Clock::time_point now) {
  if (!begun_) SRLM_RETURN_IF_ERROR(Begin());
  if (!failure_.empty()) return FailedPrecondition(fmt::format("{} failed: {}", job_.job_id, failure_));
  if (!launched_) {
    if (delivered() || now < next_start_) return OkStatus();
    return StartTrainer(now);
  }
  if (launcher_ == nullptr) {
    if (!reported_.empty() || stopped_)
      return NoticeEnd({.running = false, .exit_code = 1, .reason = reported_, .tail = {}}, now);
    launched_ = !delivered();
    return OkStatus();
  }
  SRLM_ASSIGN_OR_RETURN(const launcher::LaunchStatus status, launcher_->Poll(spec_.id));
  if (!status.running) return NoticeEnd(status, now);
  if (delivered() || stopped_) {
    if (!end_by_) end_by_ = Deadline::AfterSeconds(30);
    if (end_by_->Expired()) return launcher_->Stop(spec_.id, Deadline::AfterSeconds(kStopGraceSeconds));
    return OkStatus();
  }
  return EndIfSilent(now);
}

// Ranks that wait for one of them end by themselves. When all are stopped, or the one that reports is, nobody is left
// to end them but the coordinator.
Status Training::EndIfSilent(Clock::time_point now) {
  const double silence_s = SecondsBetween(heard_, now);
  if (silent_ || silence_s < context_.config.trainer.silence_timeout_s) return OkStatus();
  silent_ = true;
  reported_ = fmt::format("its trainer has reported nothing for {:.0f} s (trainer.silence_timeout_s)", silence_s);
  SRLM_RETURN_IF_ERROR(context_.Event("warning", job_.round, "trainer_silent", job_.job_id + ": " + reported_));
  return launcher_->Stop(spec_.id, Deadline::AfterSeconds(kStopGraceSeconds));
}

Status Training::NoticeEnd(const launcher::LaunchStatus& status, Clock::time_point now) {
  launched_ = false;
  SRLM_RETURN_IF_ERROR(RecordEnd(context_, spec_.id, status.reason));
  if (delivered()) return OkStatus();
  if (stopped_) {
    next_start_ = now + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(BackoffSeconds(context_.config.coordinator, 1)));
    return OkStatus();
  }
  const bool no_room = no_room_ || (context_.room != nullptr && context_.room->pauses() != pauses_);
  failures_ = no_room ? failures_ : further_ ? 1 : failures_ + 1;
  room_failures_ = no_room && !further_ ? room_failures_ + 1 : 0;
  row_.message = Explain(status, spec_.log_dir);
  if (!reported_.empty()) row_.message = reported_ + "; " + row_.message;
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  SRLM_RETURN_IF_ERROR(
      context_.Event(no_room ? "warning" : "error", job_.round, "job_ended_early",
                     fmt::format("{}{}: {}", job_.job_id, no_room ? " without room on its disk" : "", row_.message)));
  if (failures_ > context_.config.coordinator.max_relaunches)
    return FailedPrecondition(
        fmt::format("{} ended {} times without getting further: {}", job_.job_id, failures_, row_.message));
  next_start_ = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                          BackoffSeconds(context_.config.coordinator, no_room ? room_failures_ : failures_)));
  return OkStatus();
}

Status Training::Progress(const v1::TrainingProgress& progress) {
  heard_ = Clock::now();
  row_.step = progress.step() + 1;
  if (row_.step > furthest_) {
    furthest_ = row_.step;
    further_ = true;
  }
  row_.total_steps = progress.total_steps();
  row_.first_loss = progress.first_loss();
  row_.loss = progress.loss();
  if (job_.kind == "dpo") {
    row_.margin = progress.margin();
    row_.accuracy = progress.accuracy();
    row_.chosen_logp_change = progress.rewards_chosen() / context_.config.dpo.beta;
    row_.rejected_logp_change = progress.rewards_rejected() / context_.config.dpo.beta;
  }
  row_.tokens = progress.total_tokens();
  row_.seconds = progress.total_seconds();
  if (progress.seconds() > 0) tokens_per_second_ = static_cast<double>(progress.tokens()) / progress.seconds();
  SRLM_RETURN_IF_ERROR(RecordNotes(progress));
  return context_.ledger.SetJob(row_);
}

template <class Report>
Status Training::RecordNotes(const Report& report) {
  for (const std::string& note : report.notes())
    SRLM_RETURN_IF_ERROR(context_.Event("info", job_.round, "job_resumed", job_.job_id + " " + note));
  return OkStatus();
}

Status Training::Stopped(const v1::TrainingStopped& stopped) {
  stopped_ = true;
  row_.step = stopped.steps();
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event("info", job_.round, "job_stopped",
                        fmt::format("{} after {} steps: {}", job_.job_id, stopped.steps(), stopped.reason()));
}

Status Training::Record(const std::string& model_id) {
  SRLM_RETURN_IF_ERROR(
      context_.models.AddTrained(job_.output, OutputFolder(context_, job_), model_id, job_.job_id).status());
  RemoveUnfinishedModels(context_, job_);
  row_.state = "done";
  row_.message.clear();
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event("info", job_.round, "model_made",
                        fmt::format("{} ({}) by {}, {} steps", job_.output, model_id, job_.job_id, row_.step));
}

/// The models that the job saved on its way: which of them is the round's is not known yet.
Status Training::RecordSaved(const std::string& last_model_id) {
  const auto steps = SavedStepsOf(context_.config, row_);
  for (const int64_t step : steps) {
    const std::string folder = SavedName(OutputFolder(context_, job_), step);
    SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(folder));
    const std::string model_id = step == steps.back() ? last_model_id : manifest.ModelId();
    SRLM_RETURN_IF_ERROR(
        context_.models.AddTrained(SavedName(job_.output, step), folder, model_id, job_.job_id).status());
  }
  RemoveUnfinishedModels(context_, job_);
  row_.state = "selecting";
  row_.message.clear();
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event("info", job_.round, "models_saved",
                        fmt::format("{} saved {} models in {} steps; {} is one of them", job_.job_id, steps.size(),
                                    row_.step, job_.output));
}

Status Training::Done(const v1::TrainingDone& done) {
  if (delivered()) return OkStatus();  // said twice
  const bool selects = Selects(context_.config, job_.kind);
  std::string expected = OutputFolder(context_, job_);
  if (selects) expected = SavedName(expected, static_cast<int64_t>(done.steps()));
  std::error_code error;
  if (!fs::equivalent(done.model_folder(), expected, error))
    return InvalidArgument(
        fmt::format("{}: the job's model belongs in {}, not in {}", job_.job_id, expected, done.model_folder()));
  if (selects || done.steps() > 0) row_.step = done.steps();
  if (done.tokens() > 0) row_.tokens = done.tokens();
  if (done.seconds() > 0) row_.seconds = done.seconds();
  SRLM_RETURN_IF_ERROR(RecordNotes(done));
  return selects ? RecordSaved(done.model_id()) : Record(done.model_id());
}

Status Training::Failed(const v1::TrainingFailed& failed) {
  heard_ = Clock::now();
  const std::string message = failed.message().empty() ? "the trainer gave no reason" : failed.message();
  const auto code = static_cast<Code>(failed.code());
  no_room_ = code == Code::kResourceExhausted;
  const bool final = code == Code::kInvalidArgument || code == Code::kNotFound || code == Code::kFailedPrecondition;
  (final ? failure_ : reported_) = message;
  if (final) row_.state = "failed";
  row_.message = message;
  SRLM_RETURN_IF_ERROR(context_.ledger.SetJob(row_));
  return context_.Event(final ? "error" : "warning", job_.round, "job_failed", job_.job_id + ": " + message);
}

}  // namespace srlm::rounds
