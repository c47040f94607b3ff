// Which columns a row's members are, said once; inserting and selecting follow from it.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "coordinator/ledger/database.h"
#include "coordinator/ledger/rows.h"

namespace srlm::ledger {

/// For each row type: the table's name, its columns, and the members in the same order.
template <class Row>
struct Table;

#define SRLM_TABLE(Row, name, columns, ...)     \
  template <>                                   \
  struct Table<Row> {                           \
    static constexpr char kName[] = name;       \
    static constexpr char kColumns[] = columns; \
    template <class R>                          \
    static auto Members(R& r) {                 \
      return std::tie(__VA_ARGS__);             \
    }                                           \
  }

SRLM_TABLE(ModelRow, "models", "name, model_id, folder, job_id", r.name, r.model_id, r.folder, r.job_id);
SRLM_TABLE(RoundRow, "rounds", "round, started_ms, ended_ms, prompts_closed, pairs_closed", r.round, r.started_ms,
           r.ended_ms, r.prompts_closed, r.pairs_closed);
SRLM_TABLE(AttemptRow, "attempts",
           "round, attempt, wave, model_id, demonstrations, text, token_ids, cut, logprob, state, instruction, reason, "
           "detail",
           r.round, r.attempt, r.wave, r.model_id, r.demonstrations, r.text, r.token_ids, r.cut, r.logprob, r.state,
           r.instruction, r.reason, r.detail);
SRLM_TABLE(PromptRow, "prompts", "round, prompt_id, position, is_new, input, token_ids, state, reason", r.round,
           r.prompt_id, r.position, r.is_new, r.input, r.token_ids, r.state, r.reason);
SRLM_TABLE(CandidateRow, "candidates",
           "round, prompt_id, sample, model_id, token_ids, token_hash, text, cut, logprob, score, use, reason", r.round,
           r.prompt_id, r.sample, r.model_id, r.token_ids, r.token_hash, r.text, r.cut, r.logprob, r.score, r.use,
           r.reason);
SRLM_TABLE(VoteRow, "votes",
           "round, prompt_id, sample, vote, model_id, subject_hash, token_ids, text, state, score, logprob", r.round,
           r.prompt_id, r.sample, r.vote, r.model_id, r.subject_hash, r.token_ids, r.text, r.state, r.score, r.logprob);
SRLM_TABLE(PairRow, "pairs",
           "round, prompt_id, outcome, chosen_sample, rejected_sample, chosen_score, rejected_score, reason", r.round,
           r.prompt_id, r.outcome, r.chosen_sample, r.rejected_sample, r.chosen_score, r.rejected_score, r.reason);
SRLM_TABLE(EvaluationVoteRow, "evaluation_votes", "model, answer, vote, model_id, text, state, score", r.model,
           r.answer, r.vote, r.model_id, r.text, r.state, r.score);
SRLM_TABLE(JobRow, "jobs",
           "job_id, kind, round, state, tries, output_model, rows, step, total_steps, first_loss, loss, margin, "
           "accuracy, tokens, seconds, message",
           r.job_id, r.kind, r.round, r.state, r.tries, r.output_model, r.rows, r.step, r.total_steps, r.first_loss,
           r.loss, r.margin, r.accuracy, r.tokens, r.seconds, r.message);
SRLM_TABLE(LaunchRow, "launches", "launch_id, program, epoch, host, process_group, started_ms, ended_ms, end",
           r.launch_id, r.program, r.epoch, r.host, r.process_group, r.started_ms, r.ended_ms, r.end);
SRLM_TABLE(EventRow, "events", "sequence, time_ms, epoch, round, level, event, message", r.sequence, r.time_ms, r.epoch,
           r.round, r.level, r.event, r.message);
SRLM_TABLE(ItemFaultRow, "item_faults", "item_id, round, purpose, tries, failed, reason", r.item_id, r.round, r.purpose,
           r.tries, r.failed, r.reason);
#undef SRLM_TABLE

/// Rows of `SELECT <columns> FROM <table> <tail>`; `tail` names the table as t.
template <class Row, class... V>
Result<std::vector<Row>> Select(Database& database, const std::string& tail, const V&... parameters) {
  SRLM_ASSIGN_OR_RETURN(Query query, database.Prepare(std::string("SELECT ") + Table<Row>::kColumns + " FROM " +
                                                      Table<Row>::kName + " t " + tail));
  query.BindNext(parameters...);
  std::vector<Row> rows;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return rows;
    std::apply([&](auto&... member) { query.Read(member...); }, Table<Row>::Members(rows.emplace_back()));
  }
}

/// The first row of Select, if any.
template <class Row, class... V>
Result<std::optional<Row>> SelectOne(Database& database, const std::string& tail, const V&... parameters) {
  SRLM_ASSIGN_OR_RETURN(std::vector<Row> rows, Select<Row>(database, tail, parameters...));
  if (rows.empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows.front()));
}

/// What an insert does about a row whose key is there. A value that a column cannot hold always fails.
enum class IfThere { kKeep, kReplace };

/// Inserts a row; whether it is new.
template <class Row>
Result<bool> Insert(Database& database, IfThere if_there, const Row& row) {
  const std::string columns = Table<Row>::kColumns;
  std::string marks = "?";
  for (auto i = std::ranges::count(columns, ','); i > 0; --i) marks += ",?";
  const bool keep = if_there == IfThere::kKeep;
  SRLM_ASSIGN_OR_RETURN(Query query, database.Prepare(std::string(keep ? "INSERT INTO " : "INSERT OR REPLACE INTO ") +
                                                      Table<Row>::kName + " (" + columns + ") VALUES (" + marks + ")" +
                                                      (keep ? " ON CONFLICT DO NOTHING" : "")));
  std::apply([&](const auto&... member) { query.BindNext(member...); }, Table<Row>::Members(row));
  SRLM_RETURN_IF_ERROR(query.Run());
  return database.Changes() > 0;
}

}  // namespace srlm::ledger
