#include "common/text/special_text.h"

#include <algorithm>
#include <map>
#include <string>

namespace srlm::text {
namespace {

constexpr char32_t kFirstPrivateUse = 0xE000;
constexpr char32_t kLastPrivateUse = 0xF8FF;

/// Bytes of the UTF-8 character that starts with `lead`.
size_t CharacterBytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

char32_t FirstCharacter(std::string_view text) {
  const size_t bytes = CharacterBytes(text[0]);
  if (bytes == 1) return static_cast<unsigned char>(text[0]);
  char32_t character = static_cast<unsigned char>(text[0]) & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) character = (character << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  return character;
}

/// UTF-8 of a character of the private-use area, which takes three bytes.
std::string PrivateUseUtf8(char32_t character) {
  return {static_cast<char>(0xE0 | (character >> 12)), static_cast<char>(0x80 | ((character >> 6) & 0x3F)),
          static_cast<char>(0x80 | (character & 0x3F))};
}

/// Gives each first character its stand-in, one that occurs nowhere in the texts.
class StandIns {
 public:
  StandIns(std::span<const Message> messages, std::string_view template_source)
      : messages_(messages), template_source_(template_source) {}

  /// InvalidArgument when the texts use every private-use character.
  Result<std::string> Utf8For(char32_t original) {
    if (const auto found = of_.find(original); found != of_.end()) return PrivateUseUtf8(found->second);
    while (next_ <= kLastPrivateUse && Occurs(PrivateUseUtf8(next_))) ++next_;
    if (next_ > kLastPrivateUse) {
      return InvalidArgument(
          "the messages use every private-use character (U+E000 to U+F8FF), so special tokens in "
          "them cannot be kept as text: take some out, or use special_tokens_in_text: parse");
    }
    of_.emplace(original, next_);
    return PrivateUseUtf8(next_++);
  }

  std::vector<StandIn> All() const {
    std::vector<StandIn> all;
    for (const auto& [original, stand_in] : of_) all.push_back({stand_in, original});
    return all;
  }

 private:
  bool Occurs(const std::string& character) const {
    if (template_source_.find(character) != std::string_view::npos) return true;
    return std::ranges::any_of(messages_, [&](const Message& message) {
      return message.content.find(character) != std::string::npos || message.role.find(character) != std::string::npos;
    });
  }

  std::span<const Message> messages_;
  std::string_view template_source_;
  char32_t next_ = kFirstPrivateUse;
  std::map<char32_t, char32_t> of_;
};

/// Special tokens by their first byte, for one pass over a text.
class Finder {
 public:
  explicit Finder(const std::vector<std::string>& special_tokens) : by_byte_(256) {
    for (const std::string& token : special_tokens) by_byte_[static_cast<unsigned char>(token[0])].push_back(&token);
  }
  bool StartsAt(std::string_view rest) const {
    const auto& tokens = by_byte_[static_cast<unsigned char>(rest[0])];
    return std::ranges::any_of(tokens, [&](const std::string* token) { return rest.starts_with(*token); });
  }

 private:
  std::vector<std::vector<const std::string*>> by_byte_;
};

/// The text with the first character of each special token replaced; tokens inside tokens included.
Result<std::string> Hide(std::string_view text, const Finder& finder, StandIns& stand_ins) {
  std::string hidden;
  for (size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const size_t bytes = std::min(CharacterBytes(rest[0]), rest.size());
    if (finder.StartsAt(rest)) {
      SRLM_ASSIGN_OR_RETURN(const std::string stand_in, stand_ins.Utf8For(FirstCharacter(rest)));
      hidden += stand_in;
    } else {
      hidden += rest.substr(0, bytes);
    }
    i += bytes;
  }
  return hidden;
}

}  // namespace

Result<HiddenMessages> HideSpecialTokens(std::span<const Message> messages,
                                         const std::vector<std::string>& special_tokens,
                                         std::string_view template_source) {
  const Finder finder(special_tokens);
  StandIns stand_ins(messages, template_source);
  HiddenMessages hidden;
  for (const Message& message : messages) {
    SRLM_ASSIGN_OR_RETURN(std::string role, Hide(message.role, finder, stand_ins));
    SRLM_ASSIGN_OR_RETURN(std::string content, Hide(message.content, finder, stand_ins));
    hidden.messages.push_back({std::move(role), std::move(content)});
  }
  hidden.stand_ins = stand_ins.All();
  return hidden;
}

}  // namespace srlm::text
