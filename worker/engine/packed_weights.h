// A model's weights as the CPU kernels want them: every matrix packed in panels, q|k|v and gate|up as one matrix.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/shard.h"
#include "worker/engine/kernels/kernels.h"

namespace srlm::worker {

/// Memory that starts at zero, is aligned to a cache line, and is only taken from the system when touched.
class LazyBuffer {
 public:
  LazyBuffer() = default;
  explicit LazyBuffer(int64_t elements);
  LazyBuffer(LazyBuffer&& other) noexcept;
  LazyBuffer& operator=(LazyBuffer&& other) noexcept;
  ~LazyBuffer();
  float* data() { return data_; }
  const float* data() const { return data_; }
  /// False when the system refused the memory.
  bool ok() const { return elements_ == 0 || data_ != nullptr; }

 private:
  float* data_ = nullptr;
  int64_t elements_ = 0;
};

struct PackedMatrix {
  int64_t n = 0;  // outputs
  int64_t k = 0;  // inputs
  LazyBuffer data;
};

/// What the family has not is empty. Norms are what a row is multiplied by, whatever the file adds to.
struct PackedBlock {
  std::vector<float> input_norm;      // [hidden]
  PackedMatrix qkv;                   // [query + 2 * kv, hidden]
  std::vector<float> qkv_bias;        // [query + 2 * kv]
  std::vector<float> q_norm;          // [head_dim]
  std::vector<float> k_norm;          // [head_dim]
  PackedMatrix o;                     // [hidden, query]
  std::vector<float> attention_norm;  // [hidden]
  std::vector<float> middle_norm;     // [hidden]
  PackedMatrix gate_up;               // [2 * intermediate, hidden]
  PackedMatrix down;                  // [hidden, intermediate]
  std::vector<float> mlp_norm;        // [hidden]
};

/// Of one rank: query, kv, intermediate and vocabulary are its share's.
struct PackedWeights {
  PackedMatrix embedding;  // [vocabulary, hidden]; the rows of tokens are read from it too
  std::vector<PackedBlock> blocks;
  std::vector<float> final_norm;  // [hidden]
  PackedMatrix lm_head;           // empty when tied: the embedding serves
  const PackedMatrix& output() const { return lm_head.n > 0 ? lm_head : embedding; }
};

/// Reads a rank's share of a model folder (whose configuration is `config`) in pieces of a few MiB, so that hardly more
/// than the packed weights are in memory. `progress` is called after each tensor.
Result<PackedWeights> LoadPackedWeights(const std::string& folder, const model::ModelConfig& config,
                                        const model::Shard& shard, const KernelTable& kernels,
                                        const std::function<void()>& progress);

}  // namespace srlm::worker
