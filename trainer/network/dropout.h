// Dropout of what a block's two parts add to the hidden state (Srivastava et al., JMLR 2014; where GPT-2 has it).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "trainer/batches/pack.h"

namespace srlm::trainer {

/// What is dropped is counted, as all random numbers are: a function of the step, the sample, the token's place in it,
/// the block and the part, never of who computes it with what else.
struct DropoutOptions {
  double rate = 0;      // probability that a value becomes 0; in 65536ths
  RandomStream stream;  // of the step
};

/// A block's parts, each with masks of its own.
enum class BlockPart { kAttention, kMlp };
/// Names block and part for Dropout.
inline int64_t DropoutPlace(int64_t layer, BlockPart part) { return 2 * layer + static_cast<int64_t>(part); }

/// The masks of one pack.
class Dropout {
 public:
  /// A rate of 0 drops nothing.
  Dropout(const DropoutOptions& options, const Pack& pack);

  bool active() const { return threshold_ > 0; }

  /// x [tokens, columns] becomes mask * x / (1 - rate); `place` names block and part. Forward and backward alike.
  void Apply(int64_t place, at::Tensor& x) const;

  /// What Apply multiplies by, [tokens, columns], in the host's memory.
  at::Tensor Mask(int64_t place, int64_t columns) const;

 private:
  uint64_t threshold_ = 0;  // 16 random bits below it drop a value
  float scale_ = 1;
  std::vector<RandomStream> rows_;  // by token of the pack
};

}  // namespace srlm::trainer
