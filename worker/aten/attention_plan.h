// Which keys each row of a step attends to, as indices that a device gathers by.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// Queries that are computed in one call of attention: `rows` consecutive rows of each of `spans` sequences.
struct AttentionCall {
  at::Tensor rows;   // [spans * rows], of the batch
  at::Tensor slots;  // [spans * context]: places in the cache, padded by place 0
  at::Tensor mask;   // [spans, 1, rows, context] of bool; undefined: causal, from the first position on
  // For the kernel that reads pages where they are, in place of slots and mask.
  at::Tensor pages;    // [spans, most pages of a span] of int32
  at::Tensor lengths;  // [spans] of int32
  int64_t spans = 0;
  int64_t span_rows = 0;
  int64_t context = 0;
};

/// Sequences that decode go together, sorted by length, as many as keep what is gathered bounded; chunks of prompts one
/// by one. `window` (0: none) is how many tokens a row sees, its own the last.
/// `paged`: sequences that decode go together, all of them, for the kernel.
std::vector<AttentionCall> PlanAttention(const StepBatch& batch, int page_tokens, int64_t window, bool paged,
                                         at::Device device);

}  // namespace srlm::worker
