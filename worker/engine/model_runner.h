// What a device does in one step of the engine: the model over a batch of rows, and what is read off the logits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/device/plugin.h"
#include "common/model/model_config.h"
#include "common/parallel/communicator.h"

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

/// How a device holds weights, keys and values; sums, norms, probabilities and logits are float32 there too.
enum class NumberType { kFloat32, kBFloat16 };

/// Where and with what a rank computes its share of a model.
struct ComputeOptions {
  int threads = 1;
  const device::Device* device = nullptr;  // it outlives the runner. Null: the processor's own kernels, in float32
  NumberType numbers = NumberType::kFloat32;
  bool own_kernels = false;  // paged attention and top-p sampling of the device's plug-in in place of ATen's operations
};

struct RunnerOptions {
  ComputeOptions compute;
  int pages = 0;
  int page_tokens = 16;
  /// Ranks that hold the model together, every one of which runs the same batches; it outlives the runner. Null: this
  /// one alone.
  parallel::Communicator* group = nullptr;
};

/// This rank's share of the model in `folder`, whose configuration is `config`, on its device. Of a group the first
/// rank alone has an output: it gathers the logits, and nobody else samples. `progress` is called after each tensor.
Result<std::unique_ptr<ModelRunner>> MakeRunner(const std::string& folder, const model::ModelConfig& config,
                                                const RunnerOptions& options, const std::function<void()>& progress);

/// Bytes of one page of the cache of a rank whose share is `local`, in all layers.
int64_t PageBytes(const model::ModelConfig& local, int page_tokens, const ComputeOptions& compute);

}  // namespace srlm::worker
