#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddPair(const PairRow& row) { return Add(row); }

Result<std::vector<PairRow>> Ledger::Pairs(int round) const {
  return Select<PairRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position, pair", round);
}

Result<std::vector<PairRow>> Ledger::MadePairs(int round) const {
  return Select<PairRow>(*database_, "WHERE round = ? AND chosen_sample >= 0 ORDER BY position, pair", round);
}

Result<std::vector<PairKey>> Ledger::PairsBefore(int round) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT round, position, pair FROM pairs WHERE round < ? AND "
                                                        "chosen_sample >= 0 ORDER BY round, position, pair"));
  query.BindNext(round);
  return query.Rest<PairKey>([](const Query& row, PairKey& key) { row.Read(key.round, key.position, key.pair); });
}

Result<std::optional<PairRow>> Ledger::Pair(const PairKey& key) const {
  return SelectOne<PairRow>(*database_, "WHERE round = ? AND position = ? AND pair = ?", key.round, key.position,
                            key.pair);
}

Status Ledger::SetCounts(const RoundCounts& counts) { return Set(counts); }

Result<RoundCounts> Ledger::Counts(int round) const {
  SRLM_ASSIGN_OR_RETURN(const auto counts, SelectOne<RoundCounts>(*database_, "WHERE round = ?", round));
  return counts ? *counts : RoundCounts{.round = round, .votes = {}};
}

}  // namespace srlm::ledger
