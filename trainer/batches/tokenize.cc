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
Status Take(Sample sample, const std::string& where, const Limits& limits, TokenizedData& data) {
  SRLM_RETURN_IF_ERROR(CheckIds(sample.prompt, "prompt", limits.vocabulary_size));
  for (const auto& response : sample.responses) {
    SRLM_RETURN_IF_ERROR(CheckIds(response, "response", limits.vocabulary_size));
  }
  if (sample.context_tokens() > limits.context_tokens) {
    if (data.too_long++ == 0) {
      data.first_too_long = fmt::format("{} has {} tokens, the model's context is {}", where, sample.context_tokens(),
                                        limits.context_tokens);
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
  sample.chosen_probability = row.chosen_probability.value_or(1);
  return sample;
}

template <typename Row>
Result<TokenizedData> Tokenize(std::span<const RowsOfFile<Row>> files, const text::Chat& chat, const Limits& limits) {
  TokenizedData data;
  int64_t row_number = 0;
  for (const RowsOfFile<Row>& file : files) {
    for (const Row& row : file.rows) {
      const std::string where =
          row.line > 0 ? fmt::format("{}:{}", file.path, row.line) : fmt::format("row {}", row_number + 1);
      auto sample = ToSample(row, chat);
      if (!sample.ok()) return sample.status().WithContext(where);
      sample->row = row_number++;
      Status taken = Take(std::move(sample).value(), where, limits, data);
      if (!taken.ok()) return taken.WithContext(where);
    }
  }
  SRLM_RETURN_IF_ERROR(CheckNotEmpty(data));
  return data;
}

}  // namespace

Result<TokenizedData> TokenizeSft(std::span<const RowsOfFile<data::SftRow>> files, const text::Chat& chat,
                                  int64_t context_tokens, int64_t vocabulary_size) {
  return Tokenize(files, chat, {context_tokens, vocabulary_size});
}

Result<TokenizedData> TokenizePreferences(std::span<const RowsOfFile<data::PreferenceRow>> files,
                                          const text::Chat& chat, int64_t context_tokens, int64_t vocabulary_size) {
  return Tokenize(files, chat, {context_tokens, vocabulary_size});
}

}  // namespace srlm::trainer
