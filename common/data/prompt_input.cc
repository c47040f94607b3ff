#include "common/data/prompt_input.h"

#include <utility>

namespace srlm::data {

PromptInput PromptInput::FromUser(std::string text) {
  PromptInput input;
  input.messages.push_back({"user", std::move(text)});
  return input;
}

PromptInput PromptInput::Raw(std::string text) {
  PromptInput input;
  input.raw_text = std::move(text);
  input.raw = true;
  return input;
}

std::string PlainText(const PromptInput& input) {
  if (input.raw) return input.raw_text;
  if (input.messages.size() == 1 && input.messages[0].role == "user") return input.messages[0].content;
  std::string text;
  for (const Message& message : input.messages) {
    if (!text.empty()) text += "\n\n";
    text += message.role + ": " + message.content;
  }
  return text;
}

std::string FirstInstruction(const PromptInput& input) {
  for (const Message& message : input.messages)
    if (message.role == "user") return message.content;
  return PlainText(input);
}

std::string UserText(const PromptInput& input) {
  if (input.raw) return input.raw_text;
  std::string text;
  for (const Message& message : input.messages)
    if (message.role == "user") text += (text.empty() ? "" : "\n") + message.content;
  return text;
}

}  // namespace srlm::data
