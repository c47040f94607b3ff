// A round's votes by a program that is no model of the run (judge.verdict: program).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/data/jsonl.h"
#include "common/data/program_scores.h"
#include "coordinator/rounds/answers.h"
#include "coordinator/rounds/judge_program.h"

namespace srlm::rounds {

/// Once all candidates of a round are there: writes them to a file, runs the program on it, checks its scores as a
/// whole, and stores them as each candidate's one vote. Accepted scores are a file whose hash the ledger has: what
/// comes after is done again from it, and the program is run again when the coordinator died before.
class ProgramVotes {
 public:
  ProgramVotes(const Context& context, int round, Answers& answers)
      : context_(context), round_(round), answers_(answers), program_(context, round) {}

  /// Does some more, for about 20 ms; whether every candidate has its vote. The program runs beside the coordinator.
  Result<bool> Advance();
  /// Why the run must pause: the program failed, or its scores are not what they must be, and nothing of them is
  /// stored. Empty: go on.
  const std::string& problem() const { return problem_; }

  /// Kills the program. The next Advance starts it again.
  Status Stop(const std::string& reason);
  /// Time passed in which this process did nothing.
  void Extend(Clock::duration span) { program_.Extend(span); }

 private:
  enum class Step { kBegin, kList, kStart, kWait, kRead, kStore, kDone };
  // Each does some of its step and gives the next one, or the same.
  Result<Step> Do(Step step);
  Result<Step> Begin();
  Result<Step> List();
  Result<Step> Start();
  Result<Step> Wait();
  Result<Step> Read();
  Result<Step> Store();

  Status ListPrompt(const ledger::PromptRow& prompt);
  Status Accept();
  std::string File(const char* name) const { return JudgementFolder(context_.run_dir, round_) + "/" + name; }
  Step Fail(const std::string& what);

  const Context& context_;
  int round_;
  Answers& answers_;
  JudgeProgram program_;
  Step step_ = Step::kBegin;
  bool accepted_ = false;  // the scores that are read were accepted before
  std::optional<data::JsonlWriter> writer_;
  std::optional<data::JsonlReader> reader_;
  int listed_until_ = -1;  // position of the last prompt
  std::vector<ledger::CandidateKey> keys_;
  data::ProgramScores scores_;  // of these keys
  size_t stored_ = 0;
  int pauses_ = 0;  // for room, when the program was started
  std::string problem_;
};

}  // namespace srlm::rounds
