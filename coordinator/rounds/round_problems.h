// What stops a run before it trains on a round that cannot teach.
#pragma once

#include <string>

#include "common/data/figure.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Why the run must pause before `round` trains: too few pairs, or too few votes that could be read. Empty: go on.
Result<std::string> PairProblem(const Context& context, int round);

/// Why the run must pause after `model`'s judging was measured: too few of its sampled votes could be read. Empty: go
/// on.
Result<std::string> EvaluationProblem(const Context& context, const std::string& model);

/// The same of the comparisons of two models that a job saved, of which the share `parsed` could be read.
Result<std::string> SelectionProblem(const Context& context, const std::string& model, const data::Figure& parsed);

}  // namespace srlm::rounds
