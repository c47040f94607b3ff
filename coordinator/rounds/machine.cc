#include "coordinator/rounds/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.h"
#include "coordinator/rounds/evaluation_items.h"
#include "coordinator/rounds/items.h"
#include "coordinator/rounds/launches.h"
#include "coordinator/rounds/round_problems.h"

namespace srlm::rounds {

Machine::Machine(Context& context, launcher::Launcher* launcher, std::string program_folder)
    : context_(context),
      launcher_(launcher),
      program_folder_(program_folder),
      fleet_(context, launcher, std::move(program_folder)),
      health_(context) {
  context.set_aside = [this](const schedule::Subject& subject, const std::string& reason) {
    return SetAside(subject, reason);
  };
}

Status Machine::TakeOver() {
  if (launcher_ == nullptr) return OkStatus();
  SRLM_RETURN_IF_ERROR(EndLeftJudgePrograms(context_));
  return fleet_.TakeOver();
}

Status Machine::EndProgram(const std::string& reason) {
  return program_votes_ == nullptr ? OkStatus() : program_votes_->Stop(reason);
}

Result<Machine::State> Machine::Advance(Clock::time_point now) {
  SRLM_RETURN_IF_ERROR(WatchWorkers(now));
  const int newest = context_.models.Newest();
  round_ = std::min(newest, context_.config.run.iterations);
  context_.round = round();
  if (begun_ >= 0 || training_ != nullptr) NotePhase(now);  // what came since the last turn may have ended it
  // A job is over when its ranks are gone, too: the cores are theirs until then.
  if (training_ != nullptr) {
    SRLM_ASSIGN_OR_RETURN(const State state, Train(newest + 1, now));
    if (training_ != nullptr) return state;
  }
  if (newest > LastModel()) return State::kDone;
  Result<State> state = newest == 0 ? Train(1, now) : AdvanceModel(newest, now);
  SRLM_RETURN_IF_ERROR(state.status());
  if (*state == State::kGoing) SRLM_RETURN_IF_ERROR(fleet_.Advance(now, !cores_taken()));
  NotePhase(now);
  return state;
}

Status Machine::BeginModel(int number) {
  begun_ = number;
  const std::string model = fmt::format("M{}", number);
  SRLM_RETURN_IF_ERROR(EndRound(number - 1));  // its coordinator may have died before the trainer had ended
  SRLM_ASSIGN_OR_RETURN(const auto measured, context_.ledger.Evaluation(model));
  if (Measures(context_.config) && !measured) {
    evaluation_ = std::make_unique<Evaluation>(context_, number);
    SRLM_RETURN_IF_ERROR(evaluation_->Begin());
  }
  if (number >= LastModel()) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const auto row, context_.ledger.Round(number));
  if (!row) {
    SRLM_RETURN_IF_ERROR(context_.ledger.SetRound({number, WallClockMs(), 0, false, false}));
    SRLM_RETURN_IF_ERROR(context_.Event("info", number, "round_began", model + " answers and judges"));
  }
  if (row && row->pairs_closed) return OkStatus();
  answers_ = std::make_unique<Answers>(context_, number);
  return answers_->Begin();
}

Result<bool> Machine::AdvanceAnswers(int number) {
  if (answers_ == nullptr) return true;
  SRLM_ASSIGN_OR_RETURN(const bool drawn, answers_->DrawGiven());
  if (!drawn) return false;
  if (new_prompts_ == nullptr) {
    new_prompts_ =
        std::make_unique<NewPrompts>(context_, number, [this](const std::string& id, const std::string& text) {
          return answers_->AddPrompt(id, data::PromptInput::FromUser(text), true);
        });
  }
  SRLM_RETURN_IF_ERROR(answers_->Refill());
  SRLM_ASSIGN_OR_RETURN(const bool begun, new_prompts_->Begin());
  if (!begun || !new_prompts_->done()) return false;
  SRLM_ASSIGN_OR_RETURN(const bool judged, AdvanceProgram(number));
  if (!judged || !answers_->finished()) return false;
  SRLM_ASSIGN_OR_RETURN(const bool paired, AdvancePairs(number));
  if (!paired) return false;
  SRLM_RETURN_IF_ERROR(CloseRound(number, true, true));
  new_prompts_.reset();
  answers_.reset();
  return true;
}

// The measurement goes before it, and the workers leave, as before training: a program may want cores and memory.
Result<bool> Machine::AdvanceProgram(int number) {
  if (!JudgedByProgram(context_.config) || answers_->finished()) return true;
  if (!answers_->answered() || evaluation_ != nullptr) return false;
  if (program_votes_ == nullptr) program_votes_ = std::make_unique<ProgramVotes>(context_, number, *answers_);
  if (!fleet_.empty()) return false;
  SRLM_ASSIGN_OR_RETURN(const bool judged, program_votes_->Advance());
  if (judged) program_votes_.reset();
  return judged;
}

Result<Machine::State> Machine::AdvanceModel(int number, Clock::time_point now) {
  if (begun_ != number) SRLM_RETURN_IF_ERROR(BeginModel(number));
  if (selection_ != nullptr) return Select();
  if (evaluation_ != nullptr && evaluation_->open() == 0) SRLM_RETURN_IF_ERROR(FinishEvaluation());
  if (evaluation_ == nullptr) {
    SRLM_ASSIGN_OR_RETURN(const std::string problem, EvaluationProblem(context_, fmt::format("M{}", number)));
    SRLM_ASSIGN_OR_RETURN(const State healthy, LookAtHealth(number - 1, true, problem));
    if (healthy != State::kGoing) return healthy;
  }
  if (number >= LastModel()) return evaluation_ == nullptr ? State::kDone : State::kGoing;
  SRLM_ASSIGN_OR_RETURN(const bool paired, AdvanceAnswers(number));
  if (program_votes_ != nullptr && !program_votes_->problem().empty()) return Pause(program_votes_->problem(), number);
  if (!paired || evaluation_ != nullptr) return State::kGoing;
  SRLM_ASSIGN_OR_RETURN(const std::string problem, PairProblem(context_, number));
  SRLM_ASSIGN_OR_RETURN(const State healthy, LookAtHealth(number, false, problem));
  if (healthy != State::kGoing) return healthy;
  return Make(number + 1, now);
}

Status Machine::FinishEvaluation() {
  const std::unique_ptr<Evaluation> finished = std::move(evaluation_);
  return finished->Finish();
}

Status Machine::CloseRound(int round, bool prompts, bool pairs) {
  SRLM_ASSIGN_OR_RETURN(auto row, context_.ledger.Round(round));
  SRLM_CHECK(row.has_value(), "a round that was begun has a row");
  row->prompts_closed |= prompts;
  row->pairs_closed |= pairs;
  return context_.ledger.SetRound(*row);
}

Status Machine::EndRound(int round) {
  SRLM_ASSIGN_OR_RETURN(auto row, context_.ledger.Round(round));
  if (!row || row->ended_ms != 0) return OkStatus();
  row->ended_ms = WallClockMs();
  return context_.ledger.SetRound(*row);
}

Result<Machine::State> Machine::Pause(const std::string& problem, int round) {
  if (problem_.empty()) SRLM_RETURN_IF_ERROR(context_.Event("warning", round, "paused", problem));
  problem_ = problem;
  return State::kPaused;
}

Result<Machine::State> Machine::LookAtHealth(int round, bool made, const std::string& problem) {
  SRLM_ASSIGN_OR_RETURN(const HealthFinding finding, health_.Look(round, made));
  if (finding.action == HealthFinding::Action::kStop) {
    problem_ = finding.message;
    go_on_ = finding.go_on;
    return State::kEnded;
  }
  if (!problem.empty()) return Pause(problem, context_.round);
  if (finding.action == HealthFinding::Action::kNone) return State::kGoing;
  go_on_ = finding.go_on;
  return Pause(finding.message, round);
}

Result<Machine::State> Machine::Make(int number, Clock::time_point now) {
  const TrainingJob job = JobOf(context_.config, number);
  SRLM_ASSIGN_OR_RETURN(const auto row, context_.ledger.Job(job.job_id));
  if (!row || row->state != "selecting") return Train(number, now);
  selection_ = std::make_unique<CheckpointSelection>(context_, job, *row);
  return Select();
}

Result<Machine::State> Machine::Select() {
  SRLM_ASSIGN_OR_RETURN(const bool chosen, selection_->Advance());
  if (!selection_->problem().empty()) return Pause(selection_->problem(), selection_->job().round);
  if (!chosen) return State::kGoing;
  SRLM_RETURN_IF_ERROR(EndRound(selection_->job().round));
  selection_.reset();
  return State::kGoing;
}

// Trains M<number>, once the workers have left its cores.
Result<Machine::State> Machine::Train(int number, Clock::time_point now) {
  if (training_ == nullptr) {
    const TrainingJob job = JobOf(context_.config, number);
    SRLM_ASSIGN_OR_RETURN(const auto row, context_.ledger.Round(job.round));
    if (!row) SRLM_RETURN_IF_ERROR(context_.ledger.SetRound({job.round, WallClockMs(), 0, true, true}));
    training_ = std::make_unique<Training>(context_, job, launcher_, program_folder_);
    // Nobody may train on rows that a crash could take back.
    SRLM_RETURN_IF_ERROR(context_.ledger.Commit());
  }
  NotePhase(now);
  SRLM_RETURN_IF_ERROR(fleet_.Advance(now, false));
  if (!fleet_.empty()) return State::kGoing;
  SRLM_RETURN_IF_ERROR(training_->Advance(now));
  if (!training_->done()) return State::kGoing;
  if (training_->row().state == "done") SRLM_RETURN_IF_ERROR(EndRound(training_->job().round));
  training_.reset();
  return State::kGoing;
}

Result<bool> Machine::Dismiss(Clock::time_point now) {
  dismissed_ = true;
  SRLM_RETURN_IF_ERROR(EndProgram("the run ended"));
  SRLM_RETURN_IF_ERROR(fleet_.Advance(now, false));
  return fleet_.empty() && context_.workers.all().empty();
}

Result<bool> Machine::EndGroups(bool waits_for_step) {
  SRLM_RETURN_IF_ERROR(EndProgram("ended with its coordinator"));
  if (launcher_ == nullptr) return true;
  const bool trains = training_ != nullptr && waits_for_step;
  if (!ending_) {
    ending_ = launcher_->Running();
    if (trains) std::erase(*ending_, training_->launch_id());  // mpirun would kill its ranks 2 s after TERM
    for (const std::string& id : *ending_)
      SRLM_RETURN_IF_ERROR(launcher_->Stop(id, Deadline::AfterSeconds(kStopGraceSeconds)));
  }
  const std::vector<std::string> running = launcher_->Running();
  for (const std::string& id : std::vector<std::string>(*ending_)) {
    if (std::ranges::find(running, id) != running.end()) continue;
    SRLM_RETURN_IF_ERROR(RecordEnd(context_, id, "ended with its coordinator"));
    std::erase(*ending_, id);
  }
  if (trains) {
    SRLM_ASSIGN_OR_RETURN(const bool let_go, training_->Hold());
    if (!let_go) return false;
  }
  return ending_->empty();
}

Result<bool> Machine::Recall(const std::string& item_id) {
  if (answers_ == nullptr) return false;
  SRLM_ASSIGN_OR_RETURN(bool recalled, answers_->Recall(item_id));
  if (!recalled) {
    // Also before this coordinator has got that far in the round: a result that is not asked for would be thrown away.
    if (likelihoods_ == nullptr) likelihoods_ = std::make_unique<Likelihoods>(context_, begun_);
    SRLM_ASSIGN_OR_RETURN(recalled, likelihoods_->Recall(item_id));
  }
  if (!recalled && meta_judge_ != nullptr) {
    SRLM_ASSIGN_OR_RETURN(recalled, meta_judge_->Recall(item_id));
  }
  return recalled;
}

Result<v1::Item> Machine::Complete(const schedule::WorkItem& work) const {
  v1::Item item = work.item;
  Status status;
  switch (work.subject.purpose) {
    case v1::PURPOSE_NEW_PROMPT:
      status = new_prompts_ != nullptr ? new_prompts_->Complete(work.subject, item)
                                       : InternalError("item " + item.item_id() + ": no round writes prompts");
      break;
    case v1::PURPOSE_CANDIDATE: status = CompleteCandidate(context_, work.subject, item); break;
    case v1::PURPOSE_ANCHOR: status = CompleteAnchor(context_, work.subject, item); break;
    case v1::PURPOSE_VOTE: status = CompleteVote(context_, work.subject, item); break;
    case v1::PURPOSE_LIKELIHOOD: status = CompleteLikelihood(context_, work.subject, item); break;
    case v1::PURPOSE_EVALUATION_ANSWER: status = CompleteEvaluationAnswer(context_, work.subject, item); break;
    case v1::PURPOSE_COMPARISON: status = CompleteComparison(context_, work.subject, item); break;
    case v1::PURPOSE_HELD_OUT: status = CompleteHeldOut(context_, work.subject, item); break;
    case v1::PURPOSE_META_VOTE: status = CompleteMetaVote(context_, work.subject, item); break;
    default: status = CompleteEvaluation(context_, work.subject, item);
  }
  if (!status.ok()) return status;
  return item;
}

Result<bool> Machine::Store(const schedule::WorkItem& work, const Finished& finished) {
  const schedule::Subject& subject = work.subject;
  switch (subject.purpose) {
    case v1::PURPOSE_NEW_PROMPT:
      return new_prompts_ != nullptr ? new_prompts_->Store(subject.index, finished) : Result<bool>(false);
    case v1::PURPOSE_CANDIDATE:
    case v1::PURPOSE_ANCHOR:
      return answers_ != nullptr ? answers_->StoreCandidates(subject, finished) : Result<bool>(false);
    case v1::PURPOSE_VOTE: return answers_ != nullptr ? answers_->StoreVotes(subject, finished) : Result<bool>(false);
    case v1::PURPOSE_LIKELIHOOD:
      return likelihoods_ != nullptr ? likelihoods_->Store(subject, finished) : Result<bool>(false);
    case v1::PURPOSE_META_VOTE:
      return meta_judge_ != nullptr ? meta_judge_->Store(subject, finished) : Result<bool>(false);
    default:
      if (selection_ != nullptr) return selection_->Store(subject, finished);
      return evaluation_ != nullptr ? evaluation_->Store(subject, finished) : Result<bool>(false);
  }
}

Status Machine::SetAside(const schedule::Subject& subject, const std::string& reason) {
  switch (subject.purpose) {
    case v1::PURPOSE_NEW_PROMPT:
      return new_prompts_ != nullptr ? new_prompts_->SetAside(subject.index, reason) : OkStatus();
    case v1::PURPOSE_CANDIDATE:
    case v1::PURPOSE_ANCHOR:
    case v1::PURPOSE_VOTE: return answers_ != nullptr ? answers_->SetAside(subject, reason) : OkStatus();
    case v1::PURPOSE_LIKELIHOOD: return likelihoods_ != nullptr ? likelihoods_->SetAside(subject, reason) : OkStatus();
    case v1::PURPOSE_META_VOTE: return meta_judge_ != nullptr ? meta_judge_->SetAside(subject, reason) : OkStatus();
    default:
      if (selection_ != nullptr) return selection_->SetAside(subject, reason);
      return evaluation_ != nullptr ? evaluation_->SetAside(subject, reason) : OkStatus();
  }
}

}  // namespace srlm::rounds
