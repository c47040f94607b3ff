// Rows as JSON, in the forms that records.h reads.
#include <nlohmann/json.hpp>

#include "common/data/records.h"

namespace srlm::data {
namespace {

using nlohmann::json;

json MessageList(const std::vector<Message>& messages) {
  json list = json::array();
  for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  return list;
}

json Answer(const PromptInput& prompt, const std::string& text) {
  return prompt.raw ? json(text) : MessageList(std::vector<Message>{Message{"assistant", text}});
}

void AddTokenIds(json& row, const char* key, const std::vector<int>& ids) {
  if (!ids.empty()) row[key] = ids;
}

/// "prompt" as TRL has it, and "raw" where it is.
json WithPrompt(const PromptInput& input) {
  json row = {{"prompt", ToJson(input)}};
  if (input.raw) row["raw"] = true;
  return row;
}

}  // namespace

json ToJson(const PromptInput& input) { return input.raw ? json(input.raw_text) : MessageList(input.messages); }

json ToJson(const Prompt& row) {
  json out = {{"prompt_id", row.prompt_id}};
  if (row.input.raw) {
    out["prompt"] = row.input.raw_text;
    out["raw"] = true;
  } else {
    out["messages"] = MessageList(row.input.messages);
  }
  return out;
}

json ToJson(const SftRow& row) {
  json out = WithPrompt(row.prompt);
  out["completion"] = Answer(row.prompt, row.completion);
  AddTokenIds(out, "prompt_token_ids", row.prompt_token_ids);
  AddTokenIds(out, "completion_token_ids", row.completion_token_ids);
  return out;
}

json ToJson(const PreferenceRow& row) {
  json out = WithPrompt(row.prompt);
  if (!row.prompt_id.empty()) out["prompt_id"] = row.prompt_id;
  out["chosen"] = Answer(row.prompt, row.chosen);
  out["rejected"] = Answer(row.prompt, row.rejected);
  AddTokenIds(out, "prompt_token_ids", row.prompt_token_ids);
  AddTokenIds(out, "chosen_token_ids", row.chosen_token_ids);
  AddTokenIds(out, "rejected_token_ids", row.rejected_token_ids);
  if (row.reference_chosen_logp) out["reference_chosen_logp"] = *row.reference_chosen_logp;
  if (row.reference_rejected_logp) out["reference_rejected_logp"] = *row.reference_rejected_logp;
  if (row.chosen_probability) out["chosen_probability"] = *row.chosen_probability;
  return out;
}

}  // namespace srlm::data
