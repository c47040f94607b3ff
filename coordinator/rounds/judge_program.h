// The program that judges a round's candidates (judge.program): started, watched and ended like any group of the run.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "coordinator/launcher/process_group.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Whether a program judges instead of a model.
inline bool JudgedByProgram(const config::RunConfig& config) {
  return config.judge.verdict == config::JudgeVerdict::kProgram;
}

/// Who judged, in the model_id of such a vote: the program's words, hashed.
std::string JudgeProgramId(const config::JudgeConfig& config);
/// Where a round's candidates and scores lie.
std::string JudgementFolder(const std::string& run_dir, int round);
/// The fact of the ledger that holds the SHA-256 of the scores that were accepted for a round.
std::string JudgementFact(int round);

inline constexpr char kCandidatesFile[] = "candidates.jsonl";  // what it reads
inline constexpr char kOutputFile[] = "output.jsonl";          // what it writes, until that is accepted
inline constexpr char kScoresFile[] = "scores.jsonl";          // then

/// One start of it. Dropped, the program is killed with all that it started.
class JudgeProgram {
 public:
  JudgeProgram(const Context& context, int round) : context_(context), round_(round) {}

  /// Starts it in the run's folder, with kCandidatesFile to read. The ledger has the launch before. `problem` says why
  /// it cannot be started.
  Status Start(std::string& problem);
  bool running() const { return process_.has_value(); }

  enum class State { kRunning, kEnded, kFailed };
  /// What became of it; `problem` says why it failed: its exit code and last lines, its time, or its size.
  Result<State> Poll(size_t candidates, std::string& problem);
  /// Kills it, if it runs.
  Status End(const std::string& reason);
  /// Time passed in which this process did nothing.
  void Extend(Clock::duration span) { until_ += span; }

  double seconds() const { return SecondsSince(began_); }

 private:
  const Context& context_;
  int round_;
  int starts_ = 0;
  std::string launch_id_, log_dir_;
  std::optional<launcher::ProcessGroup> process_;
  Clock::time_point began_{}, until_{};
};

/// Kills what an earlier coordinator left of such programs on this host.
Status EndLeftJudgePrograms(const Context& context);

}  // namespace srlm::rounds
