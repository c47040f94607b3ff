// One decoder block (RMSNorm, grouped-query attention, RMSNorm, gated MLP) on a pack, forward and backward by hand: no
// autograd graph, so memory is what is kept here and nothing else.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "common/model/model_config.h"
#include "common/model/rope.h"
#include "trainer/batches/pack.h"
#include "trainer/network/attention.h"
#include "trainer/network/dropout.h"
#include "trainer/network/matrix.h"
#include "trainer/parameters/tensors.h"

namespace srlm::trainer {

/// What a part gave before its norm, where the family has such norms.
struct NormedPart {
  Workspace product, rstd;
};

/// What backward needs of a block's forward, beside its input: model::BlockActivationElements a token.
struct BlockActivations {
  Workspace input_rstd, qkv, attention, lse, middle, middle_rstd, gate_up;
  Workspace raw_heads, heads_rstd;  // queries and keys before their norms, where the family has these
  NormedPart attention_part, mlp_part;
};

/// Memory that blocks share, one after the other.
struct BlockScratch {
  Workspace normed, inner, d_inner, d_qkv, d_hidden, d_part, d_product;
};

/// What all blocks of a kind share.
struct BlockContext {
  const model::ModelConfig* config = nullptr;
  const model::RopeTable* rope = nullptr;
  HeadShape heads;
};

/// What is dropped in one block.
struct BlockDropout {
  const Dropout* masks = nullptr;  // null: nothing is dropped
  int64_t layer = 0;

  bool active() const { return masks != nullptr && masks->active(); }
};

/// out = block(x); x, out [tokens, hidden] are different memory. Fills `kept`.
void BlockForward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                  const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                  at::Tensor& out);

/// Turns d_hidden [tokens, hidden] from the gradient of the block's output into that of its input `x`, in place, and
/// adds to the block's gradients (what is undefined is not wanted). `kept` is what BlockForward left
/// for this x, pack and dropout.
void BlockBackward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                   const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                   at::Tensor& d_hidden, const BlockTensors& gradients);

}  // namespace srlm::trainer
