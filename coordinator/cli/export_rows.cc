#include "coordinator/cli/export_rows.h"

#include <map>
#include <utility>

namespace srlm::cli {
namespace {

using Json = nlohmann::ordered_json;
using Write = std::function<Status(const Json&)>;
using PromptKey = std::pair<int, std::string>;   // round, prompt_id
using CandidateKey = std::pair<PromptKey, int>;  // and sample

PromptKey KeyOf(const Json& row) { return {row.value("round", 0), row.value("prompt_id", "")}; }

/// The prompts of a round by key; rejected new ones have no prompt_id and are left out.
Result<std::map<PromptKey, Json>> Prompts(RunReader& run, int round) {
  SRLM_ASSIGN_OR_RETURN(auto rows, ReadRows(run, "prompts", round, 0));
  std::map<PromptKey, Json> prompts;
  for (Json& row : rows) {
    if (row.contains("prompt_id")) prompts.emplace(KeyOf(row), std::move(row));
  }
  return prompts;
}

Result<std::map<CandidateKey, Json>> Candidates(RunReader& run, int round) {
  SRLM_ASSIGN_OR_RETURN(auto rows, ReadRows(run, "candidates", round, 0));
  std::map<CandidateKey, Json> candidates;
  for (Json& row : rows) candidates.emplace(CandidateKey{KeyOf(row), row.value("sample", -1)}, std::move(row));
  return candidates;
}

/// The prompt as a message list, or as the text that it is.
Json Question(const Json& prompt) {
  const Json messages = prompt.value("messages", Json());
  return messages.is_array() ? messages : prompt.value("prompt", Json(""));
}

/// An answer in the form of its prompt: one assistant message, or a text.
Json Answer(const Json& question, const std::string& text) {
  if (!question.is_array()) return text;
  return Json::array({{{"role", "assistant"}, {"content", text}}});
}

/// CREAM's label of each round's pairs: the mean consistency of its prompts, which each row of a prompt carries.
std::map<int, double> ChosenProbabilities(const std::vector<Json>& pairs) {
  std::map<int, std::pair<double, int>> sums;
  for (const Json& pair : pairs) {
    if (!pair.contains("consistency") || pair.value("pair", 0) != 0) continue;
    auto& [sum, prompts] = sums[pair.value("round", 0)];
    sum += pair["consistency"].get<double>();
    ++prompts;
  }
  std::map<int, double> means;
  for (const auto& [round, sum] : sums) means[round] = sum.first / sum.second;
  return means;
}

Json Pair(const Json& pair, const Json& prompt, const Json& chosen, const Json& rejected) {
  const Json question = Question(prompt);
  return {{"prompt", question},
          {"chosen", Answer(question, chosen.value("text", ""))},
          {"rejected", Answer(question, rejected.value("text", ""))},
          {"prompt_token_ids", prompt.value("prompt_token_ids", Json::array())},
          {"chosen_token_ids", chosen.value("token_ids", Json::array())},
          {"rejected_token_ids", rejected.value("token_ids", Json::array())},
          {"chosen_score", pair.value("chosen_score", Json())},
          {"rejected_score", pair.value("rejected_score", Json())},
          {"rule", pair.value("rule", "")},
          {"reason", pair.value("reason", "")},
          {"round", pair.value("round", 0)},
          {"prompt_id", pair.value("prompt_id", "")}};
}

Json Lesson(const Json& prompt, const Json& chosen) {
  const Json question = Question(prompt);
  const std::string text = chosen.value("text", "");
  Json row;
  if (question.is_array()) {
    row["messages"] = question;
    row["messages"].push_back({{"role", "assistant"}, {"content", text}});
  } else {
    row = {{"prompt", question}, {"completion", text}};
  }
  row["prompt_token_ids"] = prompt.value("prompt_token_ids", Json::array());
  row["completion_token_ids"] = chosen.value("token_ids", Json::array());
  row["score"] = chosen.value("score", Json());
  row["round"] = chosen.value("round", 0);
  row["prompt_id"] = chosen.value("prompt_id", "");
  return row;
}

Json Candidate(const Json& prompt, const Json& candidate) {
  const Json question = Question(prompt);
  Json row = {{"prompt", question},
              {"completion", Answer(question, candidate.value("text", ""))},
              {"prompt_token_ids", prompt.value("prompt_token_ids", Json::array())},
              {"completion_token_ids", candidate.value("token_ids", Json::array())}};
  for (const char* key :
       {"score", "votes", "use", "finish_reason", "logprob", "model_id", "round", "prompt_id", "sample"}) {
    row[key] = candidate.value(key, Json());
  }
  return row;
}

Status Missing(const Json& row) {
  return DataLoss("the run lists " + row.value("prompt_id", std::string("?")) + " without its prompt or answers");
}

Status ExportPairs(RunReader& run, int round, bool as_lessons, const Write& write) {
  SRLM_ASSIGN_OR_RETURN(const auto prompts, Prompts(run, round));
  SRLM_ASSIGN_OR_RETURN(const auto candidates, Candidates(run, round));
  SRLM_ASSIGN_OR_RETURN(const auto pairs, ReadRows(run, "pairs", round, 0));
  const std::map<int, double> labels = ChosenProbabilities(pairs);
  for (const Json& pair : pairs) {
    if (!pair.contains("chosen")) continue;  // a tie, or another reason for no pair
    const bool positive = !pair.contains("rejected");
    if (positive && !as_lessons) continue;
    const auto prompt = prompts.find(KeyOf(pair));
    const auto chosen = candidates.find({KeyOf(pair), pair.value("chosen_sample", -1)});
    const auto rejected = candidates.find({KeyOf(pair), pair.value("rejected_sample", -1)});
    if (prompt == prompts.end() || chosen == candidates.end() || (!positive && rejected == candidates.end()))
      return Missing(pair);
    Json row = as_lessons ? Lesson(prompt->second, chosen->second)
                          : Pair(pair, prompt->second, chosen->second, rejected->second);
    const auto label = labels.find(pair.value("round", 0));
    if (!as_lessons && label != labels.end()) row["chosen_probability"] = label->second;
    SRLM_RETURN_IF_ERROR(write(row));
  }
  return OkStatus();
}

Status ExportJudgePairs(RunReader& run, int round, const Write& write) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, ReadRows(run, "judge_pairs", round, 0));
  for (const Json& row : rows) {
    if (row.value("outcome", "") != "paired") continue;
    const Json question = Json::array({{{"role", "user"}, {"content", row.value("prompt", "")}}});
    Json pair = {{"prompt", question}};
    for (const char* side : {"chosen", "rejected"}) pair[side] = Answer(question, row.value(side, ""));
    for (const char* key : {"prompt_token_ids", "chosen_token_ids", "rejected_token_ids", "chosen_score",
                            "rejected_score", "chosen_elo", "rejected_elo", "reason", "round", "prompt_id", "sample"})
      pair[key] = row.value(key, Json());
    SRLM_RETURN_IF_ERROR(write(pair));
  }
  return OkStatus();
}

Status ExportCandidates(RunReader& run, int round, const Write& write) {
  SRLM_ASSIGN_OR_RETURN(const auto prompts, Prompts(run, round));
  SRLM_ASSIGN_OR_RETURN(const auto candidates, ReadRows(run, "candidates", round, 0));
  for (const Json& candidate : candidates) {
    const auto prompt = prompts.find(KeyOf(candidate));
    if (prompt == prompts.end()) return Missing(candidate);
    SRLM_RETURN_IF_ERROR(write(Candidate(prompt->second, candidate)));
  }
  return OkStatus();
}

}  // namespace

Status ExportRows(RunReader& run, const std::string& kind, int round, const Write& write) {
  if (kind == "evaluations" || kind == "evaluation_answers") {
    SRLM_ASSIGN_OR_RETURN(const auto rows, ReadRows(run, kind, round, 0));
    for (const Json& row : rows) SRLM_RETURN_IF_ERROR(write(row));
    return OkStatus();
  }
  if (kind == "candidates") return ExportCandidates(run, round, write);
  if (kind == "judge_pairs") return ExportJudgePairs(run, round, write);
  return ExportPairs(run, round, kind == "sft", write);
}

}  // namespace srlm::cli
