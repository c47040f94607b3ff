// Rows of tests/reference/text_sample.py and verify_text.py, answered by our tokenizer and templates.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/text/chat.h"

namespace srlm::text {

/// Answers rows of one model folder. Templates named in rows are files of `template_folder`.
class RowReader {
 public:
  static Result<RowReader> Load(const std::string& model_folder, const std::string& template_folder);

  /// {"text"} -> {"text", "ids", "ids_as_text" where different}; {"messages", "template"} -> {"messages", "template",
  /// "rendered", "adds" or "prompt", "ids", "ids_as_text" where different and no template is named}.
  Result<nlohmann::json> Answer(const nlohmann::json& row);

  const Chat& chat() const { return *parse_; }

 private:
  Result<nlohmann::json> AnswerText(const std::string& text) const;
  Result<nlohmann::json> AnswerConversation(const nlohmann::json& row);
  Result<const ChatTemplate*> TemplateFor(const nlohmann::json& row);

  std::string model_folder_;
  std::string template_folder_;
  std::unique_ptr<Chat> parse_;
  std::unique_ptr<Chat> as_text_;
  std::map<std::string, std::unique_ptr<ChatTemplate>> templates_;
};

/// The rows of a JSON Lines file. InvalidArgument with the line when one is not JSON.
Result<std::vector<nlohmann::json>> ReadRows(const std::string& path);

/// `row`'s "messages".
std::vector<Message> MessagesOf(const nlohmann::json& row);

}  // namespace srlm::text
