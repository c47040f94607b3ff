// What a rank's optimiser updates.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace srlm::trainer {

/// A stretch of a parameter table's flat buffer, where a rank has it: flat float32 tensors of one length.
struct OwnedStretch {
  int64_t begin = 0;  // in the table's flat buffer
  at::Tensor weights;
  at::Tensor gradients;  // undefined before the first step

  int64_t count() const { return weights.numel(); }
};

}  // namespace srlm::trainer
