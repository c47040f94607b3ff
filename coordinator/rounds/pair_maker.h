// A round's preference pairs.
#pragma once

#include <string>
#include <vector>

#include "common/data/pairs.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

/// Which pairs the configuration wants.
data::PairOptions PairOptionsOf(const config::RunConfig& config);

/// What a round makes of a prompt.
struct PromptDecision {
  std::vector<ledger::PairRow> pairs;  // at least one row: without a pair it says why
  std::vector<std::string> uses;       // what becomes of each candidate, in the order given
};
PromptDecision DecidePrompt(const config::RunConfig& config, const ledger::PromptRow& prompt,
                            const std::vector<ledger::CandidateRow>& candidates,
                            const std::vector<ledger::LikelihoodRow>& likelihoods);

/// Adds a decided prompt's judgements and its pairs to its round's counts. `votes`: of each candidate, in their order.
void CountDecided(const config::RunConfig& config, const std::vector<ledger::CandidateRow>& candidates,
                  const std::vector<std::vector<ledger::VoteRow>>& votes,
                  const std::vector<ledger::LikelihoodRow>& likelihoods, const std::vector<ledger::PairRow>& pairs,
                  ledger::RoundCounts& counts);

/// Decides every prompt of a round that has all its votes: its pairs, or the reason why it has none; and what became
/// of each candidate. Counts the round anew in the order of its rows, so that its figures do not depend on the order in
/// which results came. Made again after a crash it decides the same.
class PairMaker {
 public:
  PairMaker(const Context& context, int round, const ledger::RoundCounts& counts);

  /// Decides some more prompts, for about 20 ms; whether all are decided and the counts stored.
  Result<bool> MakeSome();

 private:
  Status Make(const ledger::PromptRow& prompt);

  const Context& context_;
  int round_;
  ledger::RoundCounts counts_;
  int done_until_ = -1;  // position of the last decided prompt
};

}  // namespace srlm::rounds
