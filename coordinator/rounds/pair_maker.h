// A round's preference pairs, and the checks before it trains on them.
#pragma once

#include <string>
#include <vector>

#include "common/data/pairs.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Which pairs the configuration wants.
data::PairOptions PairOptionsOf(const config::RunConfig& config);

/// Decides every prompt of a round that has all its votes: its pair, or the reason why it has none; and what became of
/// each candidate. Counts the round anew in the order of its rows, so that its figures do not depend on the order in
/// which results came. Made again after a crash it decides the same.
class PairMaker {
 public:
  PairMaker(const Context& context, int round, const ledger::RoundCounts& counts);

  /// Decides some more prompts, for about 20 ms; whether all are decided and the counts stored.
  Result<bool> MakeSome();

 private:
  Status Make(const ledger::PromptRow& prompt);
  /// `scores`: of the prompt's candidates so far.
  Status CountVotes(const ledger::CandidateRow& candidate, std::vector<double>& scores);

  const Context& context_;
  int round_;
  ledger::RoundCounts counts_;
  int done_until_ = -1;  // position of the last decided prompt
};

/// Why the run must pause before `round` trains: too few pairs, or too few votes that could be read. Empty: go on.
Result<std::string> PairProblem(const Context& context, int round);

/// Why the run must pause after `model`'s judging was measured: too few of its sampled votes could be read. Empty: go
/// on.
Result<std::string> EvaluationProblem(const Context& context, const std::string& model);

}  // namespace srlm::rounds
