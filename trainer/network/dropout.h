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

/// The masks of one pack.
class Dropout {
 public:
  /// A rate of 0 drops nothing.
  Dropout(const DropoutOptions& options, const Pack& pack);

  bool active() const { return threshold_ > 0; }

  /// x [tokens, columns] becomes mask * x / (1 - rate); `place` names block and part. Forward and backward alike.
  void Apply(int64_t place, at::Tensor& x) const;

 private:
  uint64_t threshold_ = 0;  // 16 random bits below it drop a value
  float scale_ = 1;
  std::vector<RandomStream> rows_;  // by token of the pack
};

}  // namespace srlm::trainer
