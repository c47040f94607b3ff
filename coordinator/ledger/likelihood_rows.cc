#include <fmt/format.h>

#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {
namespace {

// Of candidates, with the parameters round, samples, keep_cut, prompts and model.
constexpr char kWanted[] =
    "FROM candidates AS c WHERE c.round = ?1 AND c.sample < ?2 AND (c.cut = 0 OR ?3) AND c.position < ?4 AND ?5 <> ''";
constexpr char kMissing[] =
    "AND NOT EXISTS (SELECT 1 FROM likelihoods AS l WHERE l.round = c.round AND l.position = c.position AND l.sample = "
    "c.sample AND l.model = ?5)";

}  // namespace

Result<bool> Ledger::AddLikelihood(const LikelihoodRow& row) { return Add(row); }

Result<std::vector<LikelihoodRow>> Ledger::LikelihoodsOf(int round, int position) const {
  return Select<LikelihoodRow>(*database_, "WHERE round = ? AND position = ? ORDER BY sample, model", round, position);
}

Result<int64_t> Ledger::CountLikelihoods(const LikelihoodsWanted& wanted, bool missing) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare(fmt::format("SELECT count(*) {} {}", kWanted, missing ? kMissing : "")));
  query.BindNext(wanted.round, wanted.samples, wanted.keep_cut, wanted.prompts, wanted.model);
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int64_t count = 0;
  query.Read(count);
  return count;
}

Result<std::vector<CandidateKey>> Ledger::MissingLikelihoods(const LikelihoodsWanted& wanted, const CandidateKey& after,
                                                             int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(
      Query query,
      database_->Prepare(fmt::format("SELECT c.position, c.sample, c.prompt_id {} {} AND (c.position, c.sample) > (?6, "
                                     "?7) ORDER BY c.position, c.sample LIMIT ?8",
                                     kWanted, kMissing)));
  query.BindNext(wanted.round, wanted.samples, wanted.keep_cut, wanted.prompts, wanted.model, after.position,
                 after.sample, limit);
  return ReadCandidateKeys(query);
}

}  // namespace srlm::ledger
