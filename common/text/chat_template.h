// A model's chat template: a conversation as the one text that the model was trained on.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "common/base/message.h"
#include "common/base/status.h"

struct SrlmTextTemplate;

namespace srlm::text {

/// A Jinja template with the meaning that Hugging Face's transformers gives it: trim_blocks, lstrip_blocks,
/// raise_exception, strftime_now, tojson, bos_token and the other special tokens of tokenizer_config.json, Python's
/// string methods. `tools` and `documents` are none. Thread-safe after Load.
class ChatTemplate {
 public:
  /// From `override_file` (--chat-template) unless that is empty; else the folder's chat_template.jinja; else
  /// chat_template in its tokenizer_config.json: a string, or a list with one named "default". NotFound when there is
  /// none; InvalidArgument with path and line when it cannot be read.
  static Result<std::unique_ptr<ChatTemplate>> Load(const std::string& model_folder, const std::string& override_file);
  ~ChatTemplate();
  ChatTemplate(const ChatTemplate&) = delete;
  ChatTemplate& operator=(const ChatTemplate&) = delete;

  /// The conversation as text; with `add_generation_prompt` it ends where the assistant's answer begins.
  /// InvalidArgument with path and line when the template refuses, or when a message is not UTF-8.
  Result<std::string> Render(std::span<const Message> messages, bool add_generation_prompt) const;

  /// The template's own text.
  std::string_view source() const { return source_; }
  /// Where it came from, for messages.
  const std::string& path() const { return path_; }

 private:
  ChatTemplate(SrlmTextTemplate* chat_template, std::string path, std::string source, nlohmann::ordered_json variables);

  SrlmTextTemplate* template_;
  std::string path_;
  std::string source_;
  nlohmann::ordered_json variables_;  // what every rendering sees
};

}  // namespace srlm::text
