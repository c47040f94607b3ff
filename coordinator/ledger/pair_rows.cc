#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddPair(const PairRow& row) { return Add(row); }

Result<std::vector<PairRow>> Ledger::Pairs(int round) const {
  return Select<PairRow>(*database_,
                         "WHERE ?1 = 0 OR round = ?1 ORDER BY round, (SELECT position FROM prompts p WHERE "
                         "p.round = t.round AND p.prompt_id = t.prompt_id)",
                         round);
}

}  // namespace srlm::ledger
