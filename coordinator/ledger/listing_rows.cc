#include "coordinator/ledger/listing_rows.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace srlm::ledger {
namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json EstimateJson(const v1::Estimate& estimate) {
  if (estimate.n() == 0) return {{"value", nullptr}, {"n", 0}, {"low", nullptr}, {"high", nullptr}};
  return {{"value", estimate.value()}, {"n", estimate.n()}, {"low", estimate.low()}, {"high", estimate.high()}};
}

Json JudgeJson(const v1::JudgeEvaluation& judge) {
  return {{"pairwise_accuracy", EstimateJson(judge.pairwise_accuracy())},
          {"pairwise_accuracy_length_matched", EstimateJson(judge.pairwise_accuracy_length_matched())},
          {"exact_match", EstimateJson(judge.exact_match())},
          {"five_best", EstimateJson(judge.five_best())},
          {"spearman", EstimateJson(judge.spearman())},
          {"kendall", EstimateJson(judge.kendall())},
          {"parse_rate", EstimateJson(judge.parse_rate())},
          {"longer_wins", EstimateJson(judge.longer_wins())},
          {"score_length_correlation", judge.score_length_correlation()}};
}

/// As the field writes a conversation; null for a prompt that no chat template renders.
Json MessagesJson(const data::PromptInput& input) {
  if (input.raw) return nullptr;
  Json messages = Json::array();
  for (const Message& message : input.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  return messages;
}

}  // namespace

Json PromptJson(const PromptRow& row) {
  return {{"round", row.round},
          {"prompt_id", row.prompt_id},
          {"source", row.is_new ? "new" : "given"},
          {"state", row.state},
          {"reason", row.reason},
          {"prompt", data::PlainText(row.input)},
          {"messages", MessagesJson(row.input)},
          {"prompt_token_ids", row.token_ids}};
}

Json AttemptJson(const AttemptRow& row) {
  return {{"round", row.round},        {"attempt", row.attempt}, {"wave", row.wave},
          {"source", "new"},           {"state", row.state},     {"reason", row.reason},
          {"prompt", row.instruction}, {"detail", row.detail},   {"demonstrations", row.demonstrations}};
}

Result<Json> CandidateJson(const Ledger& ledger, const CandidateRow& row) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<VoteRow> votes, ledger.VotesOf(row.round, row.position, row.sample));
  Json json = {{"round", row.round},
               {"prompt_id", row.prompt_id},
               {"sample", row.sample},
               {"model_id", row.model_id},
               {"text", row.text},
               {"token_ids", row.token_ids},
               {"finish_reason", row.cut ? "length" : "stop"},
               {"logprob", row.logprob},
               {"score", OrNull(row.score)},
               {"use", row.use},
               {"reason", row.reason},
               {"votes", Json::array()}};
  for (const VoteRow& vote : votes)
    json["votes"].push_back(
        {{"vote", vote.vote}, {"score", OrNull(vote.score)}, {"state", vote.state}, {"text", vote.text}});
  return json;
}

Result<Json> PairJson(const Ledger& ledger, const PairRow& row) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, ledger.Prompt(row.round, row.position));
  Json json = {{"round", row.round}, {"prompt_id", row.prompt_id}, {"pair", row.pair},
               {"rule", row.rule},   {"outcome", row.outcome},     {"reason", row.reason}};
  if (row.consistency) json["consistency"] = *row.consistency;
  json["prompt"] = prompt ? data::PlainText(prompt->input) : "";
  if (row.chosen_sample < 0) return json;
  for (const bool chosen : {true, false}) {
    const int sample = chosen ? row.chosen_sample : row.rejected_sample;
    if (sample < 0) continue;  // positive
    SRLM_ASSIGN_OR_RETURN(const auto candidate, ledger.Candidate(row.round, row.position, sample));
    const std::string side = chosen ? "chosen" : "rejected";
    json[side] = candidate ? candidate->text : "";
    json[side + "_sample"] = sample;
    json[side + "_score"] = chosen ? row.chosen_score : row.rejected_score;
    json[side + "_tokens"] = chosen ? row.chosen_tokens : row.rejected_tokens;
  }
  return json;
}

Json EvaluationJson(const ModelRow& model, const std::string& metrics) {
  const Json all = Json::parse(metrics, nullptr, false);
  constexpr std::array kParts = {"answers_given", "held_out", "against", "head_to_head", "comparison_parse_rate"};
  Json json = {{"model", model.name}, {"model_id", model.model_id}, {"judge", nullptr}};
  for (const char* part : kParts) json[part] = all.contains(part) ? all[part] : Json();
  for (const auto& [key, value] : all.items())
    if (std::ranges::find(kParts, std::string_view(key)) == kParts.end()) json["judge"][key] = value;
  return json;
}

Result<Json> EvaluationAnswerJson(const Ledger& ledger, const EvaluationAnswerRow& row) {
  Json json = {{"model", row.model},   {"prompt_id", row.prompt_id},  {"model_id", row.model_id},
               {"text", row.text},     {"token_ids", row.token_ids},  {"finish_reason", row.cut ? "length" : "stop"},
               {"reason", row.reason}, {"comparisons", Json::array()}};
  SRLM_ASSIGN_OR_RETURN(const auto comparisons, ledger.ComparisonsOf(row.model, row.prompt));
  for (const ComparisonRow& each : comparisons)
    json["comparisons"].push_back({{"other", each.other},
                                   {"order", each.backward ? "backward" : "forward"},
                                   {"vote", each.vote},
                                   {"model_id", each.model_id},
                                   {"state", each.state},
                                   {"verdict", each.verdict.empty() ? Json() : Json(each.verdict)},
                                   {"prefers_first", OrNull(each.prefers_first)},
                                   {"text", each.text}});
  return json;
}

Result<Json> JudgePairJson(const Ledger& ledger, const JudgePairRow& row) {
  Json json = {{"round", row.round},     {"prompt_id", row.prompt_id}, {"sample", row.sample},
               {"outcome", row.outcome}, {"reason", row.reason},       {"variance", row.variance}};
  if (!row.prompt_token_ids.empty()) {
    json["prompt"] = row.judge_prompt;
    json["prompt_token_ids"] = row.prompt_token_ids;
  }
  SRLM_ASSIGN_OR_RETURN(const std::vector<VoteRow> votes, ledger.VotesOf(row.round, row.position, row.sample));
  for (const bool chosen : {true, false}) {
    const int vote = chosen ? row.chosen_vote : row.rejected_vote;
    if (vote < 0 || vote >= static_cast<int>(votes.size())) continue;
    const std::string side = chosen ? "chosen" : "rejected";
    json[side] = votes[static_cast<size_t>(vote)].text;
    json[side + "_vote"] = vote;
    json[side + "_elo"] = chosen ? row.chosen_elo : row.rejected_elo;
    json[side + "_score"] = chosen ? row.chosen_score : row.rejected_score;
    json[side + "_token_ids"] = votes[static_cast<size_t>(vote)].token_ids;
  }
  SRLM_ASSIGN_OR_RETURN(const auto comparisons, ledger.MetaVotesOf(row.round, row.position));
  json["comparisons"] = Json::array();
  for (const MetaVoteRow& each : comparisons)
    json["comparisons"].push_back({{"first", each.first},
                                   {"second", each.second},
                                   {"state", each.state},
                                   {"verdict", each.verdict.empty() ? Json() : Json(each.verdict)},
                                   {"prefers_first", OrNull(each.prefers_first)},
                                   {"text", each.text}});
  return json;
}

Json EventJson(const EventRow& row) {
  return {{"sequence", row.sequence}, {"time_ms", row.time_ms}, {"epoch", row.epoch},    {"round", row.round},
          {"level", row.level},       {"event", row.event},     {"message", row.message}};
}

Json RoundJson(const v1::RoundSummary& s) {
  Json json = {{"round", s.round()},
               {"model", s.model()},
               {"model_id", s.model_id()},
               {"prompts", s.prompts()},
               {"new_prompts", s.new_prompts()},
               {"candidates", s.candidates()},
               {"votes", s.votes()},
               {"pairs", s.pairs()},
               {"judge_pairs", s.judge_pairs()},
               {"ties", s.ties()},
               {"unscored", s.unscored()},
               {"failed_items", s.failed_items()}};
  const auto optional = [&](const char* key, bool has, double value) { json[key] = has ? Json(value) : Json(); };
  optional("parse_rate", s.has_parse_rate(), s.parse_rate());
  optional("mean_score", s.has_mean_score(), s.mean_score());
  optional("mean_length", s.has_mean_length(), s.mean_length());
  optional("first_loss", s.has_first_loss(), s.first_loss());
  optional("loss", s.has_loss(), s.loss());
  optional("margin", s.has_margin(), s.margin());
  optional("accuracy", s.has_accuracy(), s.accuracy());
  json["selected_step"] = s.has_selected_step() ? Json(s.selected_step()) : Json();
  json["health"] = std::map<std::string, double>(s.health().begin(), s.health().end());
  json["figures"] = Json::object();
  for (const auto& [name, figure] : std::map<std::string, v1::Estimate>(s.figures().begin(), s.figures().end()))
    json["figures"][name] = EstimateJson(figure);
  json["judge"] = s.has_judge() ? JudgeJson(s.judge()) : Json();
  return json;
}

}  // namespace srlm::ledger
