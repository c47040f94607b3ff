// All that a round made of one prompt, and the checks of it.
#pragma once

#include <vector>

#include "coordinator/fsck/run.h"

namespace srlm::fsck {

/// The rows at one position of a round, each kind in the order of its keys.
struct PromptGroup {
  std::vector<ledger::PromptRow> prompts;  // one, unless the ledger is damaged
  std::vector<ledger::CandidateRow> candidates;
  std::vector<ledger::VoteRow> votes;
  std::vector<ledger::LikelihoodRow> likelihoods;
  std::vector<ledger::PairRow> pairs;  // at least one of a closed round
};

/// How many there are, and how many wait for a result.
struct GroupTotals {
  int64_t prompts = 0, set_aside = 0, open_prompts = 0;
  int64_t candidates = 0, not_judged = 0, open_candidates = 0;
  int64_t votes = 0;
  int64_t likelihoods = 0;
  int64_t pairs = 0;
};

/// Checks one group of `round`. Findings go to the checks prompts, candidates, votes, likelihoods and pairs,
/// which have begun; where
/// something is missing, what follows from it is not reported again. What the round's counts must be grows by it.
void CheckGroup(const Run& run, const ledger::RoundRow& round, int position, const PromptGroup& group, Report& report,
                GroupTotals& totals, ledger::RoundCounts& counts);

}  // namespace srlm::fsck
