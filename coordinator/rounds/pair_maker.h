// A round's preference pairs, and the checks before it trains on them.
#pragma once

#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Decides every prompt of the round: its pair, or the reason why it has none; and what became of each candidate.
Status MakePairs(const Context& context, int round);

/// Why the run must pause before `round` trains: too few pairs, or too few votes that could be read. Empty: go on.
Result<std::string> PairProblem(const Context& context, int round);

/// Why the run must pause after `model`'s judging was measured: too few of its sampled votes could be read. Empty: go
/// on.
Result<std::string> EvaluationProblem(const Context& context, const std::string& model);

}  // namespace srlm::rounds
