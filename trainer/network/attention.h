// Grouped-query attention over the segments of a pack, forward and backward, without a mask over the pack.
// Probabilities exist for a block of queries at a time and are computed again backward (as FlashAttention does, arXiv
// 2205.14135).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "trainer/batches/pack.h"

namespace srlm::trainer {

/// The heads. A row of qkv holds `heads` queries, `kv_heads` keys, `kv_heads` values, each of head_dim.
struct HeadShape {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  double scale = 1;    // of scores
  int64_t window = 0;  // tokens that a query sees, its own the last of them; 0: all

  int64_t query_size() const { return heads * head_dim; }
  int64_t kv_size() const { return kv_heads * head_dim; }
  int64_t row_size() const { return query_size() + 2 * kv_size(); }
  int64_t group() const { return heads / kv_heads; }
};

/// out [tokens, heads * head_dim] and lse [tokens, heads] (log of the softmax's denominator) from qkv [tokens,
/// row_size], whose queries and keys have their rotary positions.
void Attention(const Pack& pack, const HeadShape& shape, const at::Tensor& qkv, at::Tensor& out, at::Tensor& lse);

/// d_qkv [tokens, row_size], overwritten, from the gradient of out.
void AttentionBackward(const Pack& pack, const HeadShape& shape, const at::Tensor& qkv, const at::Tensor& out,
                       const at::Tensor& lse, const at::Tensor& d_out, at::Tensor& d_qkv);

}  // namespace srlm::trainer
