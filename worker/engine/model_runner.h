// What a device does in one step of the engine: the model over a batch of rows, and what is read off the logits.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/status.h"

namespace srlm::worker {

/// Rows of one sequence: consecutive tokens, each attending to all positions up to its own.
struct SequenceSpan {
  int row = 0;  // first row in the batch
  int rows = 0;
  int position = 0;                         // of the first row
  const std::vector<int>* pages = nullptr;  // page table; covers position + rows tokens
};

/// Samples the next token after a row.
struct SampleRow {
  int logit_row = 0;  // index into StepBatch::logit_rows
  double temperature = 0;
  double top_p = 1;
  double uniform = 0;  // the draw, in [0, 1)
};
struct SampledToken {
  int token = 0;      // -1: the logits are no finite numbers
  float logprob = 0;  // at temperature 1, over the whole vocabulary
};

/// Log-probability of a given token after a row.
struct ScoreRow {
  int logit_row = 0;
  int token = 0;
};

struct StepBatch {
  std::vector<int> tokens;  // [rows]
  std::vector<SequenceSpan> spans;
  std::vector<int> logit_rows;  // rows whose logits are wanted: lm_head runs on these alone
  std::vector<SampleRow> samples;
  std::vector<ScoreRow> scores;
};

struct StepOutput {
  std::vector<SampledToken> samples;
  std::vector<float> scores;  // not finite where the logits are not
};

/// A model on a device with its KV cache. One implementation a device; they must agree within rounding.
class ModelRunner {
 public:
  virtual ~ModelRunner() = default;
  /// Computes a batch, writes its keys and values into the pages, and fills `out`.
  virtual Status Run(const StepBatch& batch, StepOutput& out) = 0;
  /// Copies the first `tokens` tokens of a page, in all layers.
  virtual void CopyPage(int from, int to, int tokens) = 0;
  virtual int pages() const = 0;
  virtual int page_tokens() const = 0;
  virtual int vocabulary_size() const = 0;
  virtual int context_tokens() const = 0;
};

}  // namespace srlm::worker
