// Answers of one token each after a fixed opening: the digits after "Score: ".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/text/tokenizer.h"

namespace srlm::text {

struct Choices {
  std::vector<int> opening_ids;  // the opening's tokens, put after the prompt's
  std::vector<int> choice_ids;   // one a choice: the token that follows the opening
};

/// Fails with InvalidArgument when a choice is not exactly one token after the opening in this tokenizer: then its
/// probability cannot be read off one row of logits.
Result<Choices> FindChoices(const Tokenizer& tokenizer, std::string_view opening, std::span<const std::string> choices);

}  // namespace srlm::text
