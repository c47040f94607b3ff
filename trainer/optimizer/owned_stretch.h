// What a rank's optimiser updates.
#pragma once

#include <cstdint>
#include <span>

namespace srlm::trainer {

/// A stretch of a parameter table's flat buffer, where a rank has it; the spans are of one length.
struct OwnedStretch {
  int64_t begin = 0;  // in the table's flat buffer
  std::span<float> weights;
  std::span<const float> gradients;  // empty before the first step
};

}  // namespace srlm::trainer
