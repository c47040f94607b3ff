// Rows of the data files to samples of token ids.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/records.h"
#include "common/text/chat.h"
#include "trainer/batches/sample.h"

namespace srlm::trainer {

/// Samples and what was left out.
struct TokenizedData {
  std::vector<Sample> samples;
  int64_t too_long = 0;        // rows longer than the context, left out
  std::string first_too_long;  // says which row and how long, for a warning
};

/// Rows of one data file.
template <typename Row>
struct RowsOfFile {
  std::string path;  // empty: rows from no file
  std::vector<Row> rows;
};

/// Token ids of a row are used as they are; texts go through the chat template, raw ones through the tokenizer alone,
/// and a response gets its end-of-turn token. InvalidArgument names the place (`file:line`) for an empty prompt or
/// response, and for ids outside [0, vocabulary_size). Rows of more than `context_tokens` are left out and counted;
/// FailedPrecondition when none is left.
Result<TokenizedData> TokenizeSft(std::span<const RowsOfFile<data::SftRow>> files, const text::Chat& chat,
                                  int64_t context_tokens, int64_t vocabulary_size);
Result<TokenizedData> TokenizePreferences(std::span<const RowsOfFile<data::PreferenceRow>> files,
                                          const text::Chat& chat, int64_t context_tokens, int64_t vocabulary_size);

}  // namespace srlm::trainer
