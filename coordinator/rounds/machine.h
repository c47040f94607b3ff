// The loop's state machine: from what the ledger holds to what is to be done next.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/rounds/answers.h"
#include "coordinator/rounds/checkpoint_selection.h"
#include "coordinator/rounds/context.h"
#include "coordinator/rounds/evaluation.h"
#include "coordinator/rounds/fleet.h"
#include "coordinator/rounds/health.h"
#include "coordinator/rounds/judge_pairs.h"
#include "coordinator/rounds/likelihoods.h"
#include "coordinator/rounds/meta_judge.h"
#include "coordinator/rounds/new_prompts.h"
#include "coordinator/rounds/pair_maker.h"
#include "coordinator/rounds/program_votes.h"
#include "coordinator/rounds/training.h"
#include "srlm/v1/run.pb.h"

namespace srlm::rounds {

/// M1 by SFT; then for each model its evaluation and, until the last, its round: new prompts, candidates, the anchor's
/// answers and votes all at once, then likelihoods where pairs have labels, then pairs, then training to the next
/// model, or to several among which it is chosen. Nothing is remembered but the ledger: a machine made anew goes on
/// where the last one stood.
class Machine {
 public:
  Machine(Context& context, launcher::Launcher* launcher, std::string program_folder);

  /// At the start, before anybody calls: groups of an earlier coordinator are taken over.
  Status TakeOver();

  enum class State { kGoing, kDone, kPaused, kEnded };

  /// Does what can be done now. Fails when a job cannot be done or the ledger cannot be written.
  Result<State> Advance(Clock::time_point now);
  /// Nobody could call for so long: what was to be heard of others in that time is waited for as much longer.
  Status SleptFor(Clock::duration span);
  /// Lets the workers go at the end of the run; whether they are gone.
  Result<bool> Dismiss(Clock::time_point now);

  /// Instead of Advance while the run is paused: nothing new is leased, workers hand in and leave, a training job ends
  /// at a checkpoint; whether all that is done.
  Result<bool> Hold(Clock::time_point now);
  /// Goes on after Hold.
  void Release();
  bool held() const { return held_; }

  /// Asks every group to end, because the coordinator does; whether none is left. Results are taken until then, and a
  /// training job has its time for a checkpoint, as in Hold, unless `waits_for_step` is false.
  Result<bool> EndGroups(bool waits_for_step);

  /// Asks for an item that the queue does not hold, when the ledger says that it is not done; whether it was.
  Result<bool> Recall(const std::string& item_id);
  /// The item with all that its worker needs. InvalidArgument when it cannot be made: its text is refused.
  Result<v1::Item> Complete(const schedule::WorkItem& work) const;
  /// Stores a finished item's result; false when it was there already.
  Result<bool> Store(const schedule::WorkItem& work, const Finished& finished);

  /// Why the run is paused, or has ended before its last model, and what to do.
  const std::string& problem() const { return problem_; }
  /// The override (`key=value`) with which it goes on as it is; empty: the problem says what to change.
  const std::string& go_on() const { return go_on_; }
  /// Kills the program that judges, if one does: when the run ends for whatever reason. It is run again.
  Status EndProgram(const std::string& reason);
  /// Whether workers must leave the cores to a training job or a program that judges.
  bool cores_taken() const { return training_ != nullptr || program_votes_ != nullptr; }
  /// Whether a training job has the cores now.
  bool training_now() const { return training_ != nullptr; }
  bool dismissed() const { return dismissed_; }
  /// Whether EndGroups was called.
  bool ending() const { return ending_.has_value(); }
  Training* training() { return training_.get(); }

  /// The round in progress: 0 before M1.
  int round() const { return training_ == nullptr ? round_ : training_->job().round; }
  /// What is being done, with its counts.
  v1::PhaseProgress Progress(Clock::time_point now) const;
  /// The phase before it, with its counts at its end; no name: there was none.
  const v1::PhaseProgress& finished_phase() const { return finished_phase_; }

 private:
  int LastModel() const { return context_.config.run.iterations + 1; }
  // machine_workers.cc
  Status WatchWorkers(Clock::time_point now);
  Status Forget(const std::string& worker_id, const std::string& why);

  Status BeginModel(int number);
  Result<State> AdvanceModel(int number, Clock::time_point now);
  /// Draws, asks and waits; then asks for what else the pairs need, and makes them. Whether the round has them.
  Result<bool> AdvanceAnswers(int number);
  // machine_pairs.cc
  /// Of a round that is judged: likelihoods where they are wanted, comparisons of judgements, pairs. Whether it has
  /// them.
  Result<bool> AdvancePairs(int number);
  /// Lets the program judge, where one does and all candidates are there. Whether there is nothing left to judge.
  Result<bool> AdvanceProgram(int number);
  Result<State> Pause(const std::string& problem, int round);
  /// Ends the run when the round's health says so, pauses it for `problem` (empty: none) or for its health; else goes
  /// on.
  Result<State> LookAtHealth(int round, bool made, const std::string& problem);
  /// Makes M<number>: training and, of a job that saves several models, the choice.
  Result<State> Make(int number, Clock::time_point now);
  Result<State> Train(int number, Clock::time_point now);
  Result<State> Select();
  Status FinishEvaluation();
  Status CloseRound(int round, bool prompts, bool pairs);
  /// Notes that the round has its model, unless that is noted.
  Status EndRound(int round);
  Status SetAside(const schedule::Subject& subject, const std::string& reason);
  void NotePhase(Clock::time_point now);
  v1::PhaseProgress Counts() const;

  Context& context_;
  launcher::Launcher* launcher_;
  std::string program_folder_;
  Fleet fleet_;
  std::unique_ptr<Evaluation> evaluation_;
  std::unique_ptr<NewPrompts> new_prompts_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<ProgramVotes> program_votes_;  // after the answers that it judges
  std::unique_ptr<Likelihoods> likelihoods_;     // while they are asked for, or were
  std::unique_ptr<MetaJudge> meta_judge_;
  std::unique_ptr<PairMaker> pair_maker_;
  std::unique_ptr<JudgePairMaker> judge_pair_maker_;  // after pair_maker_, which it outlives
  std::unique_ptr<Training> training_;
  std::unique_ptr<CheckpointSelection> selection_;  // after training_
  Health health_;
  int begun_ = -1;  // the model whose parts these are
  int round_ = 0;
  std::string problem_;
  std::string go_on_;
  bool dismissed_ = false;
  bool held_ = false;
  std::optional<std::vector<std::string>> ending_;  // launches that were asked to end and have not

  // For the estimate of the remaining time.
  std::string phase_;
  Clock::time_point phase_began_{};
  uint64_t done_when_begun_ = 0;
  v1::PhaseProgress phase_progress_;  // as last seen
  v1::PhaseProgress finished_phase_;
};

}  // namespace srlm::rounds
