// Conversations and answers as the token ids that a model reads: the tokenizer and the chat template together.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/message.h"
#include "common/base/status.h"
#include "common/text/chat_template.h"
#include "common/text/tokenizer.h"

namespace srlm::text {

/// What worker and trainer make token ids with. Thread-safe after Load.
class Chat {
 public:
  /// The tokenizer, the template (`chat_template_override` as in ChatTemplate::Load; may be empty) and the end-of-turn
  /// ids of a model folder. A folder without a template loads: only what needs the template fails then.
  static Result<std::unique_ptr<Chat>> Load(const std::string& model_folder, const std::string& chat_template_override,
                                            SpecialTokensInText special_tokens_in_text);

  /// The conversation through the template, up to where the assistant's answer begins.
  Result<std::vector<int>> PromptTokens(std::span<const Message> messages) const;
  /// A "raw": true row: the text alone, no template.
  Result<std::vector<int>> RawTokens(std::string_view text) const;
  /// The response and the end-of-turn token that the template writes after it; not what the template puts after that
  /// ("\n", say).
  Result<std::vector<int>> ResponseTokens(std::string_view response) const;

  /// Ids that end the assistant's turn: generation_config.json's eos_token_id, else config.json's. Never empty.
  const std::vector<int>& end_of_turn_ids() const { return end_of_turn_ids_; }
  /// The one that ResponseTokens appends: what the template writes, else the first.
  int response_end_id() const { return response_end_id_; }

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  /// The template, or nothing for a folder without one.
  const ChatTemplate* chat_template() const { return template_.get(); }

 private:
  Chat() = default;

  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ChatTemplate> template_;
  Status template_status_;  // why there is no template
  std::vector<int> end_of_turn_ids_;
  int response_end_id_ = 0;
  SpecialTokensInText special_tokens_in_text_ = SpecialTokensInText::kText;
};

}  // namespace srlm::text
