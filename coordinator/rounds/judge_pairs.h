// Pairs of judgements, from the comparisons of a round.
#pragma once

#include <vector>

#include "common/data/elo.h"
#include "coordinator/rounds/context.h"
#include "coordinator/rounds/meta_subjects.h"

namespace srlm::rounds {

/// What a prompt's comparisons give, before the share is looked at: the judgement with the highest Elo score against
/// the one with the lowest (of equal ones the earlier vote), or why none. Without judge_prompt and its tokens.
Result<ledger::JudgePairRow> DecideJudgePair(const config::RunConfig& config, const ledger::Ledger& ledger, int round,
                                             const MetaSubject& subject, const data::PlaceWeights& weights);

/// Keeps as many of a whole round's pairs as meta_judge.max_share allows beside its `pairs` of answers: those with the
/// highest variance, earlier positions first.
void LimitShare(const config::RunConfig& config, int64_t pairs, std::vector<ledger::JudgePairRow>& rows);

/// Decides every prompt of a round that has all its comparisons and its pairs of answers. Made again after a crash it
/// decides the same.
class JudgePairMaker {
 public:
  /// `subjects` must live as long.
  JudgePairMaker(const Context& context, int round, const std::vector<MetaSubject>& subjects)
      : context_(context), round_(round), subjects_(subjects) {}

  /// Does some more, for about 20 ms; whether all rows and their counts are stored.
  Result<bool> MakeSome();

 private:
  Status Begin();
  Status Store(ledger::JudgePairRow& row);
  Status Finish();

  const Context& context_;
  int round_;
  const std::vector<MetaSubject>& subjects_;
  bool begun_ = false;
  bool limited_ = false;  // by their share
  ledger::MetaCounts counts_;
  data::PlaceWeights weights_;
  std::vector<ledger::JudgePairRow> rows_;  // one a decided subject
  size_t stored_ = 0;
};

}  // namespace srlm::rounds
