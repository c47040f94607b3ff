// What stops a run before it trains on a round that cannot teach.
#pragma once

#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Why the run must pause before `round` trains: too few pairs, or too few votes that could be read. Empty: go on.
Result<std::string> PairProblem(const Context& context, int round);

/// Why the run must pause after `model`'s judging was measured: too few of its sampled votes could be read. Empty: go
/// on.
Result<std::string> EvaluationProblem(const Context& context, const std::string& model);

}  // namespace srlm::rounds
