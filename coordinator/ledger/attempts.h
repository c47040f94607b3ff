// What the writing of new prompts reads of a run's attempts, without their texts and tokens.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/ledger/ledger.h"

namespace srlm::ledger {

struct AcceptedInstruction {
  int round = 0;
  int attempt = -1;
  std::string instruction;
};

/// Accepted attempts of the rounds up to `last_round` that follow `after` by round and attempt, in that order; at most
/// `limit`.
Result<std::vector<AcceptedInstruction>> AcceptedAfter(const Ledger& ledger, int last_round,
                                                       const AcceptedInstruction& after, int64_t limit);

/// How many attempts of a round came out how: accepted, or the reason why not. The whole round is read.
Result<std::map<std::string, int64_t>> AttemptOutcomes(const Ledger& ledger, int round);

}  // namespace srlm::ledger
