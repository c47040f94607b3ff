// What a model costs to compute with and to hold, counted from its configuration alone.
#pragma once

#include <cstdint>

#include "common/model/model_config.h"

namespace srlm::model {

/// Elements of the matrices that every token goes through: those of the blocks.
int64_t BlockMatrixElements(const ModelConfig& config);
/// Of lm_head, tied or not: what a token goes through whose logits are wanted.
int64_t HeadElements(const ModelConfig& config);

/// Tokens that a layer's query sees, on average over layers, of `context` (windows see less).
double SeenTokens(const ModelConfig& config, double context);

/// Floating-point operations of one token's way through the blocks that sees `context` tokens: two an element of a
/// matrix, and in attention four a dimension of a head and token seen (scores and values).
double BlockFlops(const ModelConfig& config, double context);
/// Of one token's logits.
double HeadFlops(const ModelConfig& config);

/// Keys and values of one token, in all layers.
int64_t KvElements(const ModelConfig& config);

/// Floats that backward needs of one token in one block, beside the block's input (trainer/network/decoder_block.h).
int64_t BlockActivationElements(const ModelConfig& config);
/// Bytes of float32 activations that training on `tokens` tokens at once takes, without logits: the blocks' inputs and
/// activations, of all blocks or, with `recompute`, of one at a time, and what blocks share.
int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, bool recompute);

}  // namespace srlm::model
