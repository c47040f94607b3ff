#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddEvaluationVote(const EvaluationVoteRow& row) { return Add(row); }

Result<std::vector<EvaluationVoteRow>> Ledger::EvaluationVotes(const std::string& model) const {
  return Select<EvaluationVoteRow>(*database_, "WHERE model = ? ORDER BY answer, vote", model);
}

Status Ledger::SetEvaluation(const std::string& model, const std::string& metrics_json) {
  return Update("INSERT OR REPLACE INTO evaluations (model, metrics) VALUES (?, ?)", model, metrics_json);
}

Result<std::optional<std::string>> Ledger::Evaluation(const std::string& model) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT metrics FROM evaluations WHERE model = ?"));
  query.BindNext(model);
  SRLM_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<std::string>();
  std::string metrics;
  query.Read(metrics);
  return std::optional<std::string>(std::move(metrics));
}

}  // namespace srlm::ledger
