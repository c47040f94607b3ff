#include "tests/common/text/rows.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "common/base/file.h"

namespace srlm::text {

using nlohmann::json;

Result<RowReader> RowReader::Load(const std::string& model_folder, const std::string& template_folder) {
  RowReader reader;
  reader.model_folder_ = model_folder;
  reader.template_folder_ = template_folder;
  SRLM_ASSIGN_OR_RETURN(reader.parse_, Chat::Load(model_folder, "", SpecialTokensInText::kParse));
  SRLM_ASSIGN_OR_RETURN(reader.as_text_, Chat::Load(model_folder, "", SpecialTokensInText::kText));
  return reader;
}

Result<json> RowReader::Answer(const json& row) {
  return row.contains("text") ? AnswerText(row["text"].get<std::string>()) : AnswerConversation(row);
}

Result<json> RowReader::AnswerText(const std::string& text) const {
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> ids, parse_->RawTokens(text));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> as_text, as_text_->RawTokens(text));
  json answer = {{"text", text}, {"ids", ids}};
  if (as_text != ids) answer["ids_as_text"] = as_text;
  return answer;
}

Result<const ChatTemplate*> RowReader::TemplateFor(const json& row) {
  if (!row.contains("template")) return parse_->chat_template();
  std::unique_ptr<ChatTemplate>& loaded = templates_[row["template"].get<std::string>()];
  if (loaded == nullptr) {
    SRLM_ASSIGN_OR_RETURN(
        loaded, ChatTemplate::Load(model_folder_, template_folder_ + "/" + row["template"].get<std::string>()));
  }
  return loaded.get();
}

Result<json> RowReader::AnswerConversation(const json& row) {
  SRLM_ASSIGN_OR_RETURN(const ChatTemplate* chat_template, TemplateFor(row));
  const std::vector<Message> messages = MessagesOf(row);
  SRLM_ASSIGN_OR_RETURN(const std::string rendered, chat_template->Render(messages, false));
  SRLM_ASSIGN_OR_RETURN(const std::string prompt, chat_template->Render(messages, true));
  json answer = {{"messages", row["messages"]}, {"rendered", rendered}};
  if (prompt.starts_with(rendered)) {
    answer["adds"] = prompt.substr(rendered.size());
  } else {
    answer["prompt"] = prompt;
  }
  if (row.contains("template")) {
    answer["template"] = row["template"];
    SRLM_ASSIGN_OR_RETURN(answer["ids"], parse_->tokenizer().Encode(prompt, SpecialTokensInText::kParse));
    return answer;
  }
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> ids, parse_->PromptTokens(messages));
  SRLM_ASSIGN_OR_RETURN(const std::vector<int> as_text, as_text_->PromptTokens(messages));
  answer["ids"] = ids;
  if (as_text != ids) answer["ids_as_text"] = as_text;
  return answer;
}

Result<std::vector<json>> ReadRows(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  std::istringstream lines(content);
  std::vector<json> rows;
  for (std::string line; std::getline(lines, line);) {
    rows.push_back(json::parse(line, nullptr, /*allow_exceptions=*/false));
    if (!rows.back().is_object()) return InvalidArgument(fmt::format("{}:{}: not a JSON object", path, rows.size()));
  }
  return rows;
}

std::vector<Message> MessagesOf(const json& row) {
  std::vector<Message> messages;
  for (const json& message : row["messages"]) {
    messages.push_back({message["role"].get<std::string>(), message["content"].get<std::string>()});
  }
  return messages;
}

}  // namespace srlm::text
