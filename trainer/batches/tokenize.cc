#include "trainer/batches/tokenize.h"

#include <fmt/format.h>

namespace srlm::trainer {
namespace {

struct Limits {
  int64_t context_tokens = 0;
  int64_t vocabulary_size = 0;
};

Result<std::vector<int>> PromptIds(const data::PromptInput& prompt, const std::vector<int>& stored,
                                   const text::Chat& chat) {
  if (!stored.empty()) return stored;
  return prompt.raw ? chat.RawTokens(prompt.raw_text) : chat.PromptTokens(prompt.messages);
}

Result<std::vector<int>> ResponseIds(const std::string& response, const std::vector<int>& stored,
                                     const text::Chat& chat) {
  if (!stored.empty()) return stored;
  return chat.ResponseTokens(response);
}

Status CheckIds(std::span<const int> ids, std::string_view what, int64_t vocabulary_size) {
  if (ids.empty()) return InvalidArgument(fmt::format("the {} has no tokens", what));
  for (const int id : ids) {
    if (id < 0 || id >= vocabulary_size) {
      return InvalidArgument(
          fmt::format("the {} has token id {}; the model's ids are 0 to {}", what, id, vocabulary_size - 1));
    }
  }
  return OkStatus();
}

/// Checks a sample and takes it, or counts it as too long.
Status Take(Sample sample, const Limits& limits, TokenizedData& data) {
  SRLM_RETURN_IF_ERROR(CheckIds(sample.prompt, "prompt", limits.vocabulary_size));
  for (const auto& response : sample.responses) {
    SRLM_RETURN_IF_ERROR(CheckIds(response, "response", limits.vocabulary_size));
  }
  if (sample.context_tokens() > limits.context_tokens) {
    if (data.too_long++ == 0) {
      data.first_too_long = fmt::format("row {} has {} tokens, the model's context is {}", sample.row + 1,
                                        sample.context_tokens(), limits.context_tokens);
    }
    return OkStatus();
  }
  data.samples.push_back(std::move(sample));
  return OkStatus();
}

Status CheckNotEmpty(const TokenizedData& data) {
  if (!data.samples.empty()) return OkStatus();
  return FailedPrecondition(fmt::format("no row is left to train on: {}", data.first_too_long));
}

Result<Sample> ToSample(const data::SftRow& row, const text::Chat& chat) {
  Sample sample;
  SRLM_ASSIGN_OR_RETURN(sample.prompt, PromptIds(row.prompt, row.prompt_token_ids, chat));
  SRLM_ASSIGN_OR_RETURN(std::vector<int> response, ResponseIds(row.completion, row.completion_token_ids, chat));
  sample.responses.push_back(std::move(response));
  return sample;
}

Result<Sample> ToSample(const data::PreferenceRow& row, const text::Chat& chat) {
  Sample sample;
  sample.prompt_id = row.prompt_id;
  SRLM_ASSIGN_OR_RETURN(sample.prompt, PromptIds(row.prompt, row.prompt_token_ids, chat));
  SRLM_ASSIGN_OR_RETURN(std::vector<int> chosen, ResponseIds(row.chosen, row.chosen_token_ids, chat));
  SRLM_ASSIGN_OR_RETURN(std::vector<int> rejected, ResponseIds(row.rejected, row.rejected_token_ids, chat));
  sample.responses = {std::move(chosen), std::move(rejected)};
  if (row.reference_chosen_logp && row.reference_rejected_logp) {
    sample.reference_logp = {*row.reference_chosen_logp, *row.reference_rejected_logp};
  }
  return sample;
}

template <typename Row>
Result<TokenizedData> Tokenize(std::span<const Row> rows, const text::Chat& chat, const Limits& limits) {
  TokenizedData data;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string where = fmt::format("row {}", i + 1);
    auto sample = ToSample(rows[i], chat);
    if (!sample.ok()) return sample.status().WithContext(where);
    sample->row = static_cast<int64_t>(i);
    if (Status status = Take(std::move(sample).value(), limits, data); !status.ok()) return status.WithContext(where);
  }
  SRLM_RETURN_IF_ERROR(CheckNotEmpty(data));
  return data;
}

}  // namespace

Result<TokenizedData> TokenizeSft(std::span<const data::SftRow> rows, const text::Chat& chat, int64_t context_tokens,
                                  int64_t vocabulary_size) {
  return Tokenize(rows, chat, {context_tokens, vocabulary_size});
}

Result<TokenizedData> TokenizePreferences(std::span<const data::PreferenceRow> rows, const text::Chat& chat,
                                          int64_t context_tokens, int64_t vocabulary_size) {
  return Tokenize(rows, chat, {context_tokens, vocabulary_size});
}

}  // namespace srlm::trainer
