// Keeps special tokens' text inside messages from becoming special tokens, through a template that may change it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/message.h"
#include "common/base/status.h"
#include "common/text/tokenizer.h"

namespace srlm::text {

/// Messages in which no special token's text is left whole.
struct HiddenMessages {
  std::vector<Message> messages;
  std::vector<StandIn> stand_ins;  // empty when nothing had to be hidden
};

/// Replaces the first character of every special token's text in roles and contents by a private-use character that
/// neither the messages nor `template_source` hold. One character for one: a template's trimming, splitting and
/// counting see the same text. Tokenizer::EncodeWithStandIns puts the characters back. The messages must be UTF-8.
/// InvalidArgument when they leave no private-use character free.
Result<HiddenMessages> HideSpecialTokens(std::span<const Message> messages,
                                         const std::vector<std::string>& special_tokens,
                                         std::string_view template_source);

}  // namespace srlm::text
