#include "common/data/prompt_texts.h"

#include "common/data/normal_form.h"
#include "common/data/row.h"

namespace srlm::data {
namespace {

Result<std::vector<std::string>> PromptTextsOf(const Row& row) {
  std::vector<std::string> texts;
  if (row.Has("turns")) return row.Texts("turns");
  const char* key = row.FirstOf({"prompt_text", "prompt", "instruction", "messages"});
  if (!row.IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(std::string text, row.Text(key));
    texts.push_back(std::move(text));
    return texts;
  }
  SRLM_ASSIGN_OR_RETURN(const auto messages, row.Messages(key));
  for (const Message& message : messages)
    if (message.role == "user") texts.push_back(message.content);
  return texts;
}

}  // namespace

std::string NormalisedPrompt(std::string_view text) {
  std::string form = NormalForm(text);
  return form.empty() ? std::string(text) : form;
}

Result<std::vector<std::string>> LoadPromptTexts(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(JsonlReader reader, JsonlReader::Open(path));
  std::vector<std::string> texts;
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    SRLM_ASSIGN_OR_RETURN(const auto found, PromptTextsOf(Row(json, reader)));
    texts.insert(texts.end(), found.begin(), found.end());
  }
  if (texts.empty()) return InvalidArgument(path + ": has no prompts");
  return texts;
}

}  // namespace srlm::data
