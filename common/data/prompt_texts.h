// The prompts of files of any kind, and when two prompts are the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace srlm::data {

/// The text's normal form (normal_form.h); a text without a word stays as it is.
std::string NormalisedPrompt(std::string_view text);

/// Every prompt of a JSON Lines file, whatever it is of: "prompt", "prompt_text", "instruction", "messages" or "turns",
/// each turn of the user a prompt. `file:line: ...` for a row without one.
Result<std::vector<std::string>> LoadPromptTexts(const std::string& path);

}  // namespace srlm::data
