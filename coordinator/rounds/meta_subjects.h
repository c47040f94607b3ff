// Whose judgements a round compares: of each prompt the candidate about which its judge is least sure.
#pragma once

#include <vector>

#include "common/config/config.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::rounds {

struct MetaSubject {
  int position = 0;  // of the prompt
  int sample = -1;   // the candidate with the highest variance of votes, the first of equal ones; -1: none has two
                     // votes that could be read and differ
  double variance = 0;
  int judgements = 0;  // of it that could be read
  bool compared = false;

  /// Every two of them in both orders.
  int64_t comparisons() const { return compared ? int64_t{judgements} * (judgements - 1) : 0; }
};

/// Adds the subjects of the positions from `begin` to before `end`, which are all judged.
Status AddMetaSubjects(const config::RunConfig& config, const ledger::Ledger& ledger, int round, int begin, int end,
                       std::vector<MetaSubject>& subjects);

/// Marks those of a whole round that are compared: meta_judge.max_prompts with the highest variance, earlier positions
/// first.
void MarkCompared(const config::RunConfig& config, std::vector<MetaSubject>& subjects);

}  // namespace srlm::rounds
