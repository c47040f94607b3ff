// A row of the data as token ids.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace srlm::trainer {

/// What one row trains on: a prompt and its responses, one (SFT) or two (DPO: chosen, rejected). Each has a token.
struct Sample {
  int64_t row = 0;  // its place among the rows of all data files, from 0
  std::string prompt_id;
  std::vector<int> prompt;
  std::vector<std::vector<int>> responses;
  std::optional<std::array<double, 2>> reference_logp;  // chosen, rejected; summed over the response's tokens
  double chosen_probability = 1;                        // of a pair: that chosen is the better one

  /// Positions that its network pass computes: the prompt once, each response without its last token, which
  /// predicts nothing.
  int64_t packed_tokens() const;
  /// Tokens of the longest prompt + response: what must fit the model's context.
  int64_t context_tokens() const;
  int64_t response_tokens() const;
};

}  // namespace srlm::trainer
