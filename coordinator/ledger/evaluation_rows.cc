#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddEvaluationVote(const EvaluationVoteRow& row) { return Add(row); }

Result<std::vector<EvaluationVoteRow>> Ledger::EvaluationVotes(const std::string& model) const {
  return Select<EvaluationVoteRow>(*database_, "WHERE model = ? ORDER BY answer, vote", model);
}

Result<bool> Ledger::AddEvaluationAnswer(const EvaluationAnswerRow& row) { return Add(row); }

Result<std::vector<EvaluationAnswerRow>> Ledger::EvaluationAnswers(const std::string& model) const {
  return Select<EvaluationAnswerRow>(*database_, "WHERE model = ? ORDER BY prompt", model);
}

Result<std::optional<EvaluationAnswerRow>> Ledger::EvaluationAnswer(const std::string& model, int prompt) const {
  return SelectOne<EvaluationAnswerRow>(*database_, "WHERE model = ? AND prompt = ?", model, prompt);
}

Result<bool> Ledger::AddComparison(const ComparisonRow& row) { return Add(row); }

Result<std::vector<ComparisonRow>> Ledger::Comparisons(const std::string& model, const std::string& other) const {
  return Select<ComparisonRow>(*database_, "WHERE model = ? AND other = ? ORDER BY prompt, backward, vote", model,
                               other);
}

Result<std::vector<ComparisonRow>> Ledger::ComparisonsOf(const std::string& model, int prompt) const {
  return Select<ComparisonRow>(*database_, "WHERE model = ? AND prompt = ? ORDER BY other, backward, vote", model,
                               prompt);
}

Result<std::vector<std::string>> Ledger::UnreadComparisons(const std::string& model, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(const auto rows,
                        Select<ComparisonRow>(*database_,
                                              "WHERE model = ? AND state = 'absent' AND vote >= 0 ORDER BY other, "
                                              "prompt, backward, vote LIMIT ?",
                                              model, limit));
  std::vector<std::string> texts;
  for (const ComparisonRow& row : rows) texts.push_back(row.text);
  return texts;
}

Result<bool> Ledger::AddHeldOut(const HeldOutRow& row) { return Add(row); }

Result<std::vector<HeldOutRow>> Ledger::HeldOut(const std::string& model) const {
  return Select<HeldOutRow>(*database_, "WHERE model = ? ORDER BY answer", model);
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
