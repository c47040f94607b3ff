// Any messages: whatever they contain, they add no special token to the conversation.
#include <algorithm>

#include "common/base/check.h"
#include "common/text/chat.h"
#include "tests/fuzz/harness.h"

namespace srlm {
namespace {

using text::Chat;
using text::SpecialTokensInText;

std::unique_ptr<Chat> Load(SpecialTokensInText special) {
  auto chat = Chat::Load(fuzz::ReferenceModel("smollm2"), "", special);
  SRLM_CHECK(chat.ok(), chat.status().message());
  return std::move(*chat);
}

class SpecialIds {
 public:
  explicit SpecialIds(const text::Tokenizer& tokenizer) {
    for (const std::string& token : tokenizer.special_tokens())
      ids_.push_back(tokenizer.Encode(token, SpecialTokensInText::kParse)->at(0));
  }
  int64_t CountIn(const std::vector<int>& tokens) const {
    return std::ranges::count_if(tokens, [&](int id) { return std::ranges::find(ids_, id) != ids_.end(); });
  }

 private:
  std::vector<int> ids_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto chat = Load(SpecialTokensInText::kText), parsing = Load(SpecialTokensInText::kParse);
  static const SpecialIds special(chat->tokenizer());
  // The template reads the system's text in its own place, so that roles stay as they are.
  const auto parts = fuzz::Parts(fuzz::Text(data, size), 3);
  const std::vector<Message> messages = {
      {"system", parts[0]}, {"user", parts[1]}, {"assistant", parts[2]}, {"user", parts[0]}};
  std::vector<Message> harmless = messages;
  for (Message& message : harmless) message.content = "x";

  const auto tokens = chat->PromptTokens(messages);
  (void)parsing->PromptTokens(messages).status();
  if (!tokens.ok()) {
    SRLM_CHECK(!tokens.status().message().empty(), "a failure without a message");
    return 0;
  }
  SRLM_CHECK(special.CountIn(*tokens) == special.CountIn(*chat->PromptTokens(harmless)), parts[0]);
  const auto raw = chat->RawTokens(parts[2]);
  SRLM_CHECK(raw.ok() && special.CountIn(*raw) == 0, parts[2]);
  const auto answer = chat->ResponseTokens(parts[2]);
  SRLM_CHECK(answer.ok() && special.CountIn(*answer) == 1, parts[2]);
  const auto decoded = chat->tokenizer().Decode(*raw, false);
  SRLM_CHECK(decoded.ok() && *decoded == parts[2], parts[2]);
  return 0;
}

}  // namespace srlm
