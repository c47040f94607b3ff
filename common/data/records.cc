#include "common/data/records.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "common/data/row.h"

namespace srlm::data {
namespace {

/// Reads every row of `path` with `parse(row, line)`; fails at the first bad one, or when there is none.
template <class T, class ParseRow>
Result<std::vector<T>> LoadRows(const std::string& path, ParseRow parse) {
  SRLM_ASSIGN_OR_RETURN(JsonlReader reader, JsonlReader::Open(path));
  std::vector<T> rows;
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    SRLM_ASSIGN_OR_RETURN(T row, parse(Row(json, reader), reader.line()));
    if constexpr (requires { row.line; }) row.line = reader.line();
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return InvalidArgument(path + ": has no rows; wanted one JSON object a line");
  return rows;
}

/// Ids that were seen, with their lines.
class UniqueIds {
 public:
  Status Add(const Row& row, const char* key, const std::string& id, int64_t line) {
    const auto [found, is_new] = lines_.emplace(id, line);
    if (is_new) return OkStatus();
    return row.Error(fmt::format("'{}' is '{}', as in line {}; ids must differ", key, id, found->second));
  }

 private:
  std::unordered_map<std::string, int64_t> lines_;
};

Result<EftRow> ParseEft(const Row& row) {
  EftRow eft;
  SRLM_ASSIGN_OR_RETURN(eft.prompt, row.FilledText("prompt"));
  SRLM_ASSIGN_OR_RETURN(eft.response, row.FilledText("response"));
  SRLM_ASSIGN_OR_RETURN(eft.justification, row.Text("justification"));
  SRLM_ASSIGN_OR_RETURN(eft.score, row.Whole("score", kMinScore, kMaxScore));
  return eft;
}

/// {"messages"}: all but the last message ask, the last one is the target.
Result<SftRow> ParseConversation(const Row& row) {
  SftRow sft;
  SRLM_ASSIGN_OR_RETURN(std::vector<Message> messages, row.Messages("messages"));
  if (messages.back().role != "assistant")
    return row.Error(
        fmt::format("'messages' ends with role '{}', wanted the assistant's answer", messages.back().role));
  if (messages.size() < 2) return row.Error("'messages' has no prompt before the assistant's answer");
  sft.completion = std::move(messages.back().content);
  messages.pop_back();
  sft.prompt.messages = std::move(messages);
  return sft;
}

Status CheckAnswer(const Row& row, const char* key, const std::string& text, const std::vector<int>& token_ids) {
  if (!text.empty() || !token_ids.empty()) return OkStatus();
  const bool is_conversation = std::string_view(key) == "messages";
  return row.Error(fmt::format("'{}' {}", key, is_conversation ? "ends with an empty answer" : "is empty"));
}

Result<SftRow> ParseSft(const Row& row, const JudgeTemplate& judge_template) {
  if (row.Has("justification")) {
    SRLM_ASSIGN_OR_RETURN(const EftRow eft, ParseEft(row));
    return ToSftRow(eft, judge_template);
  }
  SftRow sft;
  if (row.Has("messages")) {
    SRLM_ASSIGN_OR_RETURN(sft, ParseConversation(row));
  } else {
    SRLM_ASSIGN_OR_RETURN(sft.prompt, row.Input());
    SRLM_ASSIGN_OR_RETURN(sft.completion, row.Answer("completion"));
  }
  SRLM_ASSIGN_OR_RETURN(sft.prompt_token_ids, row.TokenIds("prompt_token_ids"));
  SRLM_ASSIGN_OR_RETURN(sft.completion_token_ids, row.TokenIds("completion_token_ids"));
  if (sft.prompt_token_ids.empty() != sft.completion_token_ids.empty())
    return row.Error(
        "has token ids of one side only; give both 'prompt_token_ids' and 'completion_token_ids', or none");
  SRLM_RETURN_IF_ERROR(
      CheckAnswer(row, row.Has("messages") ? "messages" : "completion", sft.completion, sft.completion_token_ids));
  return sft;
}

Result<PreferenceRow> ParsePreference(const Row& row) {
  PreferenceRow pair;
  if (row.Has("prompt_id")) {
    SRLM_ASSIGN_OR_RETURN(pair.prompt_id, row.Id("prompt_id"));
  }
  SRLM_ASSIGN_OR_RETURN(pair.prompt, row.Input());
  SRLM_ASSIGN_OR_RETURN(pair.chosen, row.Answer("chosen"));
  SRLM_ASSIGN_OR_RETURN(pair.rejected, row.Answer("rejected"));
  SRLM_ASSIGN_OR_RETURN(pair.prompt_token_ids, row.TokenIds("prompt_token_ids"));
  SRLM_ASSIGN_OR_RETURN(pair.chosen_token_ids, row.TokenIds("chosen_token_ids"));
  SRLM_ASSIGN_OR_RETURN(pair.rejected_token_ids, row.TokenIds("rejected_token_ids"));
  const bool any = row.Has("prompt_token_ids") || row.Has("chosen_token_ids") || row.Has("rejected_token_ids");
  if (any && (pair.prompt_token_ids.empty() || pair.chosen_token_ids.empty() || pair.rejected_token_ids.empty()))
    return row.Error("has token ids of some of prompt, chosen and rejected; give all three, or none");
  SRLM_RETURN_IF_ERROR(CheckAnswer(row, "chosen", pair.chosen, pair.chosen_token_ids));
  SRLM_RETURN_IF_ERROR(CheckAnswer(row, "rejected", pair.rejected, pair.rejected_token_ids));
  SRLM_ASSIGN_OR_RETURN(pair.reference_chosen_logp, row.OptionalNumber("reference_chosen_logp"));
  SRLM_ASSIGN_OR_RETURN(pair.reference_rejected_logp, row.OptionalNumber("reference_rejected_logp"));
  if (pair.reference_chosen_logp.has_value() != pair.reference_rejected_logp.has_value())
    return row.Error("has a reference log-probability of one answer only; give both, or none");
  SRLM_ASSIGN_OR_RETURN(pair.chosen_probability, row.OptionalNumber("chosen_probability"));
  if (pair.chosen_probability && !(*pair.chosen_probability >= 0 && *pair.chosen_probability <= 1))
    return row.Error(
        fmt::format("\"chosen_probability\" is {}; wanted a number from 0 to 1", *pair.chosen_probability));
  return pair;
}

/// The row's "id", or its line number.
Result<std::string> ItemId(const Row& row, int64_t line, UniqueIds& ids) {
  std::string id = std::to_string(line);
  if (row.Has("id")) {
    SRLM_ASSIGN_OR_RETURN(id, row.Id("id"));
  }
  SRLM_RETURN_IF_ERROR(ids.Add(row, "id", id, line));
  return id;
}

Result<PairItem> ParsePairItem(const Row& row, int64_t line, UniqueIds& ids) {
  PairItem item;
  SRLM_ASSIGN_OR_RETURN(item.id, ItemId(row, line, ids));
  SRLM_ASSIGN_OR_RETURN(item.prompt, row.Input());
  SRLM_ASSIGN_OR_RETURN(item.response_a, row.Answer("response_a"));
  SRLM_ASSIGN_OR_RETURN(item.response_b, row.Answer("response_b"));
  return item;
}

Result<JudgeItem> ParseJudgeItem(const Row& row, int64_t line, UniqueIds& ids) {
  JudgeItem item;
  SRLM_ASSIGN_OR_RETURN(item.id, ItemId(row, line, ids));
  SRLM_ASSIGN_OR_RETURN(item.prompt, row.Input());
  SRLM_ASSIGN_OR_RETURN(item.response, row.Answer("response"));
  SRLM_ASSIGN_OR_RETURN(item.prompt_token_ids, row.TokenIds("prompt_token_ids"));
  SRLM_ASSIGN_OR_RETURN(item.response_token_ids, row.TokenIds("response_token_ids"));
  return item;
}

Result<RankedAnswer> ParseRankedAnswer(const Row& row) {
  RankedAnswer answer;
  SRLM_ASSIGN_OR_RETURN(answer.prompt_id, row.Id("prompt_id"));
  SRLM_ASSIGN_OR_RETURN(answer.prompt, row.FilledText(row.FirstOf({"prompt_text", "prompt"})));
  if (row.Has("response_id")) {
    SRLM_ASSIGN_OR_RETURN(answer.response_id, row.Id("response_id"));
  }
  SRLM_ASSIGN_OR_RETURN(answer.response, row.FilledText(row.FirstOf({"response_text", "response"})));
  SRLM_ASSIGN_OR_RETURN(answer.quality, row.Number(row.FirstOf({"quality_score", "score"})));
  return answer;
}

}  // namespace

Result<std::vector<Prompt>> LoadPrompts(const std::string& path) {
  UniqueIds ids;
  return LoadRows<Prompt>(path, [&](const Row& row, int64_t line) -> Result<Prompt> {
    Prompt prompt;
    SRLM_ASSIGN_OR_RETURN(prompt.prompt_id, row.Id("prompt_id"));
    SRLM_RETURN_IF_ERROR(ids.Add(row, "prompt_id", prompt.prompt_id, line));
    SRLM_ASSIGN_OR_RETURN(prompt.input, row.Input());
    return prompt;
  });
}

Result<std::vector<SftRow>> LoadSft(const std::string& path, const JudgeTemplate& judge_template) {
  return LoadRows<SftRow>(path, [&](const Row& row, int64_t) { return ParseSft(row, judge_template); });
}

Result<std::vector<EftRow>> LoadEft(const std::string& path) {
  return LoadRows<EftRow>(path, [](const Row& row, int64_t) { return ParseEft(row); });
}

Result<std::vector<PreferenceRow>> LoadPreferences(const std::string& path) {
  return LoadRows<PreferenceRow>(path, [](const Row& row, int64_t) { return ParsePreference(row); });
}

Result<std::vector<JudgeItem>> LoadJudgeItems(const std::string& path) {
  UniqueIds ids;
  return LoadRows<JudgeItem>(path, [&](const Row& row, int64_t line) { return ParseJudgeItem(row, line, ids); });
}

Result<std::vector<PairItem>> LoadPairItems(const std::string& path) {
  UniqueIds ids;
  return LoadRows<PairItem>(path, [&](const Row& row, int64_t line) { return ParsePairItem(row, line, ids); });
}

Result<std::vector<JudgeItem>> LoadHumanAnswers(const std::string& path) {
  UniqueIds ids;
  const JudgeTemplate no_lessons = JudgeTemplate::BuiltIn();
  return LoadRows<JudgeItem>(path, [&](const Row& row, int64_t line) -> Result<JudgeItem> {
    if (row.Has("justification")) return row.Error("is a judgement; wanted a prompt and a person's answer");
    if (!row.Has("messages") && !row.Has("completion")) return ParseJudgeItem(row, line, ids);
    SRLM_ASSIGN_OR_RETURN(SftRow sft, ParseSft(row, no_lessons));
    return JudgeItem{std::to_string(line), std::move(sft.prompt), std::move(sft.completion),
                     std::move(sft.prompt_token_ids), std::move(sft.completion_token_ids)};
  });
}

Result<std::vector<RankedAnswer>> LoadRankedAnswers(const std::string& path) {
  std::unordered_map<std::string, std::string> prompts;  // id -> text
  std::unordered_map<std::string, UniqueIds> responses;  // prompt id -> its answers' ids
  return LoadRows<RankedAnswer>(path, [&](const Row& row, int64_t line) -> Result<RankedAnswer> {
    SRLM_ASSIGN_OR_RETURN(RankedAnswer answer, ParseRankedAnswer(row));
    answer.line = line;
    if (answer.response_id.empty()) answer.response_id = std::to_string(line);
    if (prompts.emplace(answer.prompt_id, answer.prompt).first->second != answer.prompt)
      return row.Error(
          fmt::format("'prompt_id' is '{}', which an earlier line has with another prompt", answer.prompt_id));
    SRLM_RETURN_IF_ERROR(responses[answer.prompt_id].Add(row, "response_id", answer.response_id, line));
    return answer;
  });
}

SftRow ToSftRow(const EftRow& row, const JudgeTemplate& judge_template) {
  SftRow sft;
  sft.prompt = PromptInput::FromUser(judge_template.Fill(row.prompt, row.response));
  if (!IsBlankText(row.justification)) sft.completion = row.justification + "\n";
  sft.completion += fmt::format("{}{}", kScorePrefix, row.score);
  return sft;
}

}  // namespace srlm::data
