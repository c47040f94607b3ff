#include "common/text/chat.h"

#include <utility>

#include "common/text/bytes.h"
#include "common/text/end_of_turn.h"
#include "common/text/special_text.h"

namespace srlm::text {

Result<std::unique_ptr<Chat>> Chat::Load(const std::string& model_folder, const std::string& chat_template_override,
                                         SpecialTokensInText special_tokens_in_text) {
  std::unique_ptr<Chat> chat(new Chat);
  chat->special_tokens_in_text_ = special_tokens_in_text;
  SRLM_ASSIGN_OR_RETURN(chat->tokenizer_, Tokenizer::Load(model_folder));
  SRLM_ASSIGN_OR_RETURN(chat->end_of_turn_ids_, ReadEndOfTurnIds(model_folder, *chat->tokenizer_));
  chat->response_end_id_ = chat->end_of_turn_ids_.front();

  Result<std::unique_ptr<ChatTemplate>> chat_template = ChatTemplate::Load(model_folder, chat_template_override);
  if (chat_template.ok()) {
    chat->template_ = std::move(chat_template).value();
    chat->response_end_id_ = WrittenEndOfTurn(*chat->template_, *chat->tokenizer_, chat->end_of_turn_ids_);
  } else if (chat_template.status().code() == Code::kNotFound && chat_template_override.empty()) {
    chat->template_status_ = chat_template.status();
  } else {
    return chat_template.status();
  }
  return chat;
}

Result<std::vector<int>> Chat::PromptTokens(std::span<const Message> messages) const {
  if (template_ == nullptr) return template_status_;
  if (special_tokens_in_text_ == SpecialTokensInText::kParse) {
    SRLM_ASSIGN_OR_RETURN(const std::string rendered, template_->Render(messages, /*add_generation_prompt=*/true));
    return tokenizer_->Encode(rendered, SpecialTokensInText::kParse);
  }
  for (const Message& message : messages) {
    SRLM_RETURN_IF_ERROR(CheckUtf8(message.role));
    SRLM_RETURN_IF_ERROR(CheckUtf8(message.content));
  }
  SRLM_ASSIGN_OR_RETURN(const HiddenMessages hidden,
                        HideSpecialTokens(messages, tokenizer_->special_tokens(), template_->source()));
  SRLM_ASSIGN_OR_RETURN(const std::string rendered, template_->Render(hidden.messages, /*add_generation_prompt=*/true));
  return tokenizer_->EncodeWithStandIns(rendered, hidden.stand_ins);
}

Result<std::vector<int>> Chat::RawTokens(std::string_view text) const {
  return tokenizer_->Encode(text, special_tokens_in_text_);
}

Result<std::vector<int>> Chat::ResponseTokens(std::string_view response) const {
  SRLM_ASSIGN_OR_RETURN(std::vector<int> ids, tokenizer_->Encode(response, special_tokens_in_text_));
  ids.push_back(response_end_id_);
  return ids;
}

}  // namespace srlm::text
