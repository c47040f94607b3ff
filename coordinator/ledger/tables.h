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
SRLM_TABLE(PromptRow, "prompts", "round, position, prompt_id, is_new, state, reason, input, token_ids", r.round,
           r.position, r.prompt_id, r.is_new, r.state, r.reason, r.input, r.token_ids);
SRLM_TABLE(
    CandidateRow, "candidates",
    "round, position, sample, prompt_id, model_id, cut, score, use, reason, logprob, token_hash, token_ids, text",
    r.round, r.position, r.sample, r.prompt_id, r.model_id, r.cut, r.score, r.use, r.reason, r.logprob, r.token_hash,
    r.token_ids, r.text);
SRLM_TABLE(VoteRow, "votes",
           "round, position, sample, vote, model_id, subject_hash, state, score, logprob, token_ids, text", r.round,
           r.position, r.sample, r.vote, r.model_id, r.subject_hash, r.state, r.score, r.logprob, r.token_ids, r.text);
SRLM_TABLE(LikelihoodRow, "likelihoods", "round, position, sample, model, model_id, logprob, reason", r.round,
           r.position, r.sample, r.model, r.model_id, r.logprob, r.reason);
SRLM_TABLE(
    PairRow, "pairs",
    "round, position, pair, prompt_id, rule, outcome, chosen_sample, rejected_sample, chosen_score, rejected_score, "
    "chosen_tokens, rejected_tokens, consistency, reason",
    r.round, r.position, r.pair, r.prompt_id, r.rule, r.outcome, r.chosen_sample, r.rejected_sample, r.chosen_score,
    r.rejected_score, r.chosen_tokens, r.rejected_tokens, r.consistency, r.reason);
SRLM_TABLE(MetaVoteRow, "meta_votes",
           "round, position, sample, first, second, model_id, subject_hash, state, verdict, prefers_first, logprob, "
           "token_ids, text",
           r.round, r.position, r.sample, r.first, r.second, r.model_id, r.subject_hash, r.state, r.verdict,
           r.prefers_first, r.logprob, r.token_ids, r.text);
SRLM_TABLE(JudgePairRow, "judge_pairs",
           "round, position, prompt_id, sample, outcome, variance, chosen_vote, rejected_vote, chosen_elo, "
           "rejected_elo, chosen_score, rejected_score, chosen_tokens, rejected_tokens, reason, judge_prompt, "
           "prompt_token_ids",
           r.round, r.position, r.prompt_id, r.sample, r.outcome, r.variance, r.chosen_vote, r.rejected_vote,
           r.chosen_elo, r.rejected_elo, r.chosen_score, r.rejected_score, r.chosen_tokens, r.rejected_tokens, r.reason,
           r.judge_prompt, r.prompt_token_ids);
SRLM_TABLE(MetaCounts, "meta_counts",
           "round, comparisons, parsed, first_wins, second_wins, both_orders, flips, judge_pairs", r.round,
           r.comparisons, r.parsed, r.first_wins, r.second_wins, r.both_orders, r.flips, r.judge_pairs);
SRLM_TABLE(RoundCounts, "round_counts",
           "round, prompts, new_prompts, answered, failed_prompts, candidates, tokens, dropped, not_judged, anchors, "
           "anchors_done, votes, "
           "parsed, absent, out_of_range, score_0, score_1, score_2, score_3, score_4, score_5, scored, unscored, "
           "score_sum, score_squares, length_sum, length_squares, score_length, variance_sum, variances, score_pairs, "
           "score_ties, pairs, ties, duplicates, consistency_sum, consistencies, log_ratio_sum, log_ratios",
           r.round, r.prompts, r.new_prompts, r.answered, r.failed_prompts, r.candidates, r.tokens, r.dropped,
           r.not_judged, r.anchors, r.anchors_done, r.votes.votes, r.votes.parsed, r.votes.absent, r.votes.out_of_range,
           r.votes.histogram[0], r.votes.histogram[1], r.votes.histogram[2], r.votes.histogram[3], r.votes.histogram[4],
           r.votes.histogram[5], r.votes.scored, r.votes.unscored, r.votes.score_sum, r.votes.score_squares,
           r.votes.length_sum, r.votes.length_squares, r.votes.score_length, r.votes.variance_sum, r.votes.variances,
           r.votes.score_pairs, r.votes.score_ties, r.pairs, r.ties, r.duplicates, r.consistency_sum, r.consistencies,
           r.log_ratio_sum, r.log_ratios);
SRLM_TABLE(EvaluationVoteRow, "evaluation_votes", "model, answer, vote, model_id, text, state, score", r.model,
           r.answer, r.vote, r.model_id, r.text, r.state, r.score);
SRLM_TABLE(EvaluationAnswerRow, "evaluation_answers",
           "model, prompt, prompt_id, model_id, cut, reason, token_hash, token_ids, text", r.model, r.prompt,
           r.prompt_id, r.model_id, r.cut, r.reason, r.token_hash, r.token_ids, r.text);
SRLM_TABLE(ComparisonRow, "comparisons",
           "model, other, prompt, backward, vote, model_id, subject_hash, state, verdict, prefers_first, text", r.model,
           r.other, r.prompt, r.backward, r.vote, r.model_id, r.subject_hash, r.state, r.verdict, r.prefers_first,
           r.text);
SRLM_TABLE(HeldOutRow, "held_out", "model, answer, model_id, tokens, logprob, reason", r.model, r.answer, r.model_id,
           r.tokens, r.logprob, r.reason);
SRLM_TABLE(JobRow, "jobs",
           "job_id, kind, round, state, tries, output_model, rows, step, total_steps, first_loss, loss, margin, "
           "accuracy, chosen_logp_change, rejected_logp_change, tokens, seconds, message, selected_step",
           r.job_id, r.kind, r.round, r.state, r.tries, r.output_model, r.rows, r.step, r.total_steps, r.first_loss,
           r.loss, r.margin, r.accuracy, r.chosen_logp_change, r.rejected_logp_change, r.tokens, r.seconds, r.message,
           r.selected_step);
SRLM_TABLE(LaunchRow, "launches", "launch_id, program, epoch, host, process_group, started_ms, ended_ms, end",
           r.launch_id, r.program, r.epoch, r.host, r.process_group, r.started_ms, r.ended_ms, r.end);
SRLM_TABLE(EventRow, "events", "sequence, time_ms, epoch, round, level, event, message", r.sequence, r.time_ms, r.epoch,
           r.round, r.level, r.event, r.message);
SRLM_TABLE(ItemFaultRow, "item_faults", "item_id, round, purpose, tries, failed, reason", r.item_id, r.round, r.purpose,
           r.tries, r.failed, r.reason);
#undef SRLM_TABLE

/// Gives each row of `SELECT <columns> FROM <table> <tail>` to `use`, which returns a Status, one at a time: no more
/// than one is in memory. Stops at the first failure. `use` may not run the same query.
template <class Row, class Use, class... V>
Status ForEach(Database& database, const std::string& tail, Use use, const V&... parameters) {
  SRLM_ASSIGN_OR_RETURN(Query query, database.Prepare(std::string("SELECT ") + Table<Row>::kColumns + " FROM " +
                                                      Table<Row>::kName + " " + tail));
  query.BindNext(parameters...);
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return OkStatus();
    Row row;
    std::apply([&](auto&... member) { query.Read(member...); }, Table<Row>::Members(row));
    SRLM_RETURN_IF_ERROR(use(std::move(row)));
  }
}

/// All of these rows.
template <class Row, class... V>
Result<std::vector<Row>> Select(Database& database, const std::string& tail, const V&... parameters) {
  std::vector<Row> rows;
  const auto keep = [&](Row row) {
    rows.push_back(std::move(row));
    return OkStatus();
  };
  SRLM_RETURN_IF_ERROR(ForEach<Row>(database, tail, keep, parameters...));
  return rows;
}

/// All rows of a query for the columns position, sample, prompt_id.
inline Result<std::vector<CandidateKey>> ReadCandidateKeys(Query& query) {
  return query.Rest<CandidateKey>(
      [](const Query& row, CandidateKey& key) { row.Read(key.position, key.sample, key.prompt_id); });
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
