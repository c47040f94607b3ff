#include "coordinator/ledger/attempts.h"

#include "coordinator/ledger/database.h"

namespace srlm::ledger {

Result<std::vector<AcceptedInstruction>> AcceptedAfter(const Ledger& ledger, int last_round,
                                                       const AcceptedInstruction& after, int64_t limit) {
  SRLM_ASSIGN_OR_RETURN(
      Query query,
      ledger.database().Prepare("SELECT round, attempt, instruction FROM attempts WHERE state = 'accepted' AND "
                                "(round, attempt) > (?, ?) AND round <= ? ORDER BY round, attempt LIMIT ?"));
  query.BindNext(after.round, after.attempt, last_round, limit);
  return query.Rest<AcceptedInstruction>(
      [](const Query& row, AcceptedInstruction& each) { row.Read(each.round, each.attempt, each.instruction); });
}

Result<std::map<std::string, int64_t>> AttemptOutcomes(const Ledger& ledger, int round) {
  SRLM_ASSIGN_OR_RETURN(Query query, ledger.database().Prepare(
                                         "SELECT iif(reason = '', state, reason) AS outcome, count(*) FROM attempts "
                                         "WHERE round = ? GROUP BY outcome"));
  query.BindNext(round);
  std::map<std::string, int64_t> outcomes;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return outcomes;
    std::string outcome;
    int64_t count = 0;
    query.Read(outcome, count);
    outcomes[outcome] = count;
  }
}

}  // namespace srlm::ledger
