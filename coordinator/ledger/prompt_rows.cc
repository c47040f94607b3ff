#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Result<bool> Ledger::AddAttempt(const AttemptRow& row) { return Add(row); }

Result<bool> Ledger::SetAttemptWritten(const AttemptRow& row) {
  SRLM_RETURN_IF_ERROR(
      Update("UPDATE attempts SET state = 'written', model_id = ?, text = ?, token_ids = ?, cut = ?, logprob = ? "
             "WHERE round = ? AND attempt = ? AND state = 'asked'",
             row.model_id, row.text, row.token_ids, row.cut, row.logprob, row.round, row.attempt));
  return database_->Changes() > 0;
}

Status Ledger::SetAttemptVerdict(int round, int attempt, const std::string& state, const std::string& instruction,
                                 const std::string& reason, const std::string& detail) {
  return Update(
      "UPDATE attempts SET state = ?, instruction = ?, reason = ?, detail = ? WHERE round = ? AND attempt = ?", state,
      instruction, reason, detail, round, attempt);
}

Result<std::vector<AttemptRow>> Ledger::Attempts(int round) const {
  return Select<AttemptRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, attempt", round);
}

Result<bool> Ledger::AddPrompt(const PromptRow& row) { return Add(row); }

Status Ledger::SetPromptFailed(int round, const std::string& prompt_id, const std::string& reason) {
  return Update("UPDATE prompts SET state = 'failed', reason = ? WHERE round = ? AND prompt_id = ?", reason, round,
                prompt_id);
}

Result<std::vector<PromptRow>> Ledger::Prompts(int round) const {
  return Select<PromptRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position", round);
}

Result<std::optional<PromptRow>> Ledger::Prompt(int round, const std::string& prompt_id) const {
  return SelectOne<PromptRow>(*database_, "WHERE round = ? AND prompt_id = ?", round, prompt_id);
}

}  // namespace srlm::ledger
