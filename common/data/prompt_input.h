// What a model is asked: messages that the chat template renders, or text that is used as it is.
#pragma once

#include <string>
#include <vector>

#include "common/base/message.h"

namespace srlm::data {

struct PromptInput {
  std::vector<Message> messages;  // empty when raw
  std::string raw_text;           // used when raw: no chat template, no special tokens added
  bool raw = false;

  bool operator==(const PromptInput&) const = default;

  static PromptInput FromUser(std::string text);
  static PromptInput Raw(std::string text);
};

/// The input as one text, for a judge, a filter or a person: the content of a single user message; several
/// messages as `role: content` paragraphs; raw text as it is.
std::string PlainText(const PromptInput& input);

/// What a conversation's user asks first; raw text as it is.
std::string FirstInstruction(const PromptInput& input);

/// All that its user says, a message a line; raw text as it is.
std::string UserText(const PromptInput& input);

}  // namespace srlm::data
