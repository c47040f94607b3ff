// Rotary position embedding (Su et al., arXiv 2104.09864) with Llama 3's and linear frequency scaling.
#pragma once

#include <optional>
#include <vector>

#include "common/model/model_config.h"

namespace srlm::model {

/// Inverse frequencies [head_dim / 2]: pair i of a head turns by position * frequency[i] radians, where pair i is the
/// dimensions (i, i + head_dim / 2). Computed in float32 where transformers does, so that angles agree to the bit.
std::vector<float> RopeFrequencies(const RopeConfig& rope, int64_t head_dim);

/// Cosines and sines of positions [0, positions): two tables [positions, head_dim / 2].
struct RopeTable {
  int64_t positions = 0;
  int64_t half = 0;
  std::vector<float> cosine;
  std::vector<float> sine;
};
RopeTable MakeRopeTable(const RopeConfig& rope, int64_t head_dim, int64_t positions);

/// A model's tables: of all layers, and of local ones where they have their own.
class RopeTables {
 public:
  RopeTables(const ModelConfig& config, int64_t positions);
  const RopeTable& of(int64_t layer) const { return local_ && config_.local(layer) ? *local_ : all_; }

 private:
  ModelConfig config_;
  RopeTable all_;
  std::optional<RopeTable> local_;
};

}  // namespace srlm::model
