#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddPair(const PairRow& row) { return Add(row); }

Result<std::vector<PairRow>> Ledger::Pairs(int round) const {
  return Select<PairRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position", round);
}

Status Ledger::SetCounts(const RoundCounts& counts) { return Set(counts); }

Result<RoundCounts> Ledger::Counts(int round) const {
  SRLM_ASSIGN_OR_RETURN(const auto counts, SelectOne<RoundCounts>(*database_, "WHERE round = ?", round));
  return counts ? *counts : RoundCounts{.round = round, .votes = {}};
}

}  // namespace srlm::ledger
