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

Result<std::vector<AttemptRow>> Ledger::LastWave(int round) const {
  return Select<AttemptRow>(*database_,
                            "WHERE round = ?1 AND wave = (SELECT wave FROM attempts WHERE round = ?1 ORDER BY attempt "
                            "DESC LIMIT 1) ORDER BY attempt",
                            round);
}

Result<bool> Ledger::AddPrompt(const PromptRow& row) { return Add(row); }

Status Ledger::SetPromptState(int round, int position, const std::string& state, const std::string& reason) {
  return Update("UPDATE prompts SET state = ?, reason = ? WHERE round = ? AND position = ?", state, reason, round,
                position);
}

Result<std::vector<PromptRow>> Ledger::Prompts(int round) const {
  return Select<PromptRow>(*database_, "WHERE ?1 = 0 OR round = ?1 ORDER BY round, position", round);
}

Result<std::optional<PromptRow>> Ledger::Prompt(int round, int position) const {
  return SelectOne<PromptRow>(*database_, "WHERE round = ? AND position = ?", round, position);
}

Result<std::optional<PromptRow>> Ledger::PromptById(int round, const std::string& prompt_id) const {
  return SelectOne<PromptRow>(*database_, "WHERE round = ? AND prompt_id = ?", round, prompt_id);
}

Result<std::vector<PromptRow>> Ledger::PromptsAfter(int round, int position, int64_t limit) const {
  return Select<PromptRow>(*database_, "WHERE round = ? AND position > ? ORDER BY position LIMIT ?", round, position,
                           limit);
}

Result<std::vector<OpenPrompt>> Ledger::OpenPrompts(int round, int position, int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(
      Query query, database_->Prepare(
                       "SELECT position, prompt_id, state FROM prompts WHERE state IN ('open', 'anchor') AND round = ? "
                       "AND position > ? ORDER BY position LIMIT ?"));
  query.BindNext(round, position, limit);
  return query.Rest<OpenPrompt>(
      [](const Query& row, OpenPrompt& prompt) { row.Read(prompt.position, prompt.prompt_id, prompt.state); });
}

Result<int> Ledger::NextPosition(int round) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT ifnull(max(position), -1) + 1 FROM prompts WHERE round = ?"));
  query.BindNext(round);
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int next = 0;
  query.Read(next);
  return next;
}

Result<std::set<std::string>> Ledger::GivenPromptIds() const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT prompt_id FROM prompts WHERE is_new = 0"));
  std::set<std::string> ids;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return ids;
    std::string id;
    query.Read(id);
    ids.insert(std::move(id));
  }
}

Result<std::vector<std::pair<std::string, int64_t>>> Ledger::Rejections(int round) const {
  SRLM_ASSIGN_OR_RETURN(Query query,
                        database_->Prepare("SELECT reason, count(*) FROM attempts WHERE round = ? AND "
                                           "state IN ('rejected', 'failed') GROUP BY reason ORDER BY 2 DESC, 1"));
  query.BindNext(round);
  using Reason = std::pair<std::string, int64_t>;
  return query.Rest<Reason>([](const Query& row, Reason& reason) { row.Read(reason.first, reason.second); });
}

}  // namespace srlm::ledger
