// Which token ids end the assistant's turn.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/text/chat_template.h"
#include "common/text/tokenizer.h"

namespace srlm::text {

/// eos_token_id (an id or a list) of the folder's generation_config.json, else of its config.json, in that order and
/// without repeats. NotFound when neither names one; InvalidArgument when an id is none of the tokenizer's.
Result<std::vector<int>> ReadEndOfTurnIds(const std::string& model_folder, const Tokenizer& tokenizer);

/// The end-of-turn id that the template writes after an assistant's message, found by rendering one; else the first
/// of `end_of_turn_ids`. A template that refuses the trial conversation counts as one that writes none.
int WrittenEndOfTurn(const ChatTemplate& chat_template, const Tokenizer& tokenizer,
                     const std::vector<int>& end_of_turn_ids);

}  // namespace srlm::text
