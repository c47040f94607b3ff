#include "trainer/network/decoder_block.h"

#include "trainer/network/row_ops.h"

namespace srlm::trainer {
namespace {

/// A block's parts, each with masks of its own.
enum class Part { kAttention, kMlp };

int64_t PlaceOf(const BlockDropout& dropout, Part part) { return 2 * dropout.layer + static_cast<int64_t>(part); }

/// out = x + what is left of a . weights^T.
void AddPart(const BlockDropout& dropout, Part part, const at::Tensor& x, const at::Tensor& a,
             const at::Tensor& weights, at::Tensor& out) {
  if (!dropout.active()) {
    at::addmm_out(out, x, a, weights.t());
    return;
  }
  Multiply(out, a, weights.t());
  dropout.masks->Apply(PlaceOf(dropout, part), out);
  out.add_(x);
}

/// The gradient of a . weights^T, of that of their sum with x: d_out itself where nothing is dropped.
at::Tensor PartGradient(const BlockDropout& dropout, Part part, const at::Tensor& d_out, BlockScratch& scratch) {
  if (!dropout.active()) return d_out;
  at::Tensor d_part = scratch.d_part.Get(d_out.size(0), d_out.size(1));
  d_part.copy_(d_out);
  dropout.masks->Apply(PlaceOf(dropout, part), d_part);
  return d_part;
}

/// gradient += a b, where it is wanted.
void AddGradient(const at::Tensor& gradient, const at::Tensor& a, const at::Tensor& b) {
  if (gradient.defined()) MultiplyAdd(gradient, a, b);
}

}  // namespace

int64_t BlockActivations::BytesPerToken(const model::ModelConfig& config) {
  const int64_t floats = 2 + config.heads + 2 * config.query_size() + 2 * config.kv_size() + config.hidden_size +
                         2 * config.intermediate_size;
  return floats * static_cast<int64_t>(sizeof(float));
}

void BlockForward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                  const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                  at::Tensor& out) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = x.size(0), hidden = config.hidden_size;
  at::Tensor normed = scratch.normed.Get(tokens, hidden);
  at::Tensor input_rstd = kept.input_rstd.Get(tokens, 1);
  RmsNorm(x, weights.input_norm, config.rms_norm_epsilon, normed, input_rstd);

  at::Tensor qkv = kept.qkv.Get(tokens, context.heads.row_size());
  Multiply(qkv, normed, weights.qkv.t());
  ApplyRope(*context.rope, pack.positions, config.heads + config.kv_heads, /*back=*/false, qkv);
  at::Tensor attention = kept.attention.Get(tokens, config.query_size());
  at::Tensor lse = kept.lse.Get(tokens, config.heads);
  Attention(pack, context.heads, qkv, attention, lse);
  at::Tensor middle = kept.middle.Get(tokens, hidden);
  AddPart(dropout, Part::kAttention, x, attention, weights.o, middle);

  at::Tensor middle_rstd = kept.middle_rstd.Get(tokens, 1);
  RmsNorm(middle, weights.post_norm, config.rms_norm_epsilon, normed, middle_rstd);
  at::Tensor gate_up = kept.gate_up.Get(tokens, 2 * config.intermediate_size);
  Multiply(gate_up, normed, weights.gate_up.t());
  at::Tensor inner = scratch.inner.Get(tokens, config.intermediate_size);
  SwiGlu(gate_up, inner);
  AddPart(dropout, Part::kMlp, middle, inner, weights.down, out);
}

namespace {

/// Through the MLP: d_hidden is the gradient of the block's output, then of `middle`.
void MlpBackward(const BlockContext& context, const BlockTensors& weights, const BlockDropout& dropout,
                 BlockActivations& kept, BlockScratch& scratch, at::Tensor& d_hidden, const BlockTensors& gradients) {
  const int64_t tokens = d_hidden.size(0), hidden = context.config->hidden_size;
  const int64_t width = context.config->intermediate_size;
  at::Tensor gate_up = kept.gate_up.Get(tokens, 2 * width);
  at::Tensor middle = kept.middle.Get(tokens, hidden), rstd = kept.middle_rstd.Get(tokens, 1);
  at::Tensor inner = scratch.inner.Get(tokens, width);
  SwiGlu(gate_up, inner);
  const at::Tensor d_part = PartGradient(dropout, Part::kMlp, d_hidden, scratch);
  AddGradient(gradients.down, d_part.t(), inner);
  Multiply(inner, d_part, weights.down);  // now the gradient of SwiGLU's output
  at::Tensor d_gate_up = scratch.d_inner.Get(tokens, 2 * width);
  SwiGluBackward(gate_up, inner, d_gate_up);
  at::Tensor normed = scratch.normed.Get(tokens, hidden);
  RmsNormAgain(middle, weights.post_norm, rstd, normed);
  AddGradient(gradients.gate_up, d_gate_up.t(), normed);
  Multiply(normed, d_gate_up, weights.gate_up);  // now the gradient of the norm's output
  RmsNormBackward(middle, weights.post_norm, rstd, normed, d_hidden, gradients.post_norm);
}

/// Through attention: d_hidden is the gradient of `middle`, then of the block's input.
void AttentionPartBackward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                           const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept,
                           BlockScratch& scratch, at::Tensor& d_hidden, const BlockTensors& gradients) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = d_hidden.size(0);
  at::Tensor qkv = kept.qkv.Get(tokens, context.heads.row_size());
  at::Tensor attention = kept.attention.Get(tokens, config.query_size()), lse = kept.lse.Get(tokens, config.heads);
  at::Tensor rstd = kept.input_rstd.Get(tokens, 1);
  const at::Tensor d_part = PartGradient(dropout, Part::kAttention, d_hidden, scratch);
  AddGradient(gradients.o, d_part.t(), attention);
  at::Tensor d_attention = scratch.d_hidden.Get(tokens, config.query_size());
  Multiply(d_attention, d_part, weights.o);
  at::Tensor d_qkv = scratch.d_qkv.Get(tokens, context.heads.row_size());
  AttentionBackward(pack, context.heads, qkv, attention, lse, d_attention, d_qkv);
  ApplyRope(*context.rope, pack.positions, config.heads + config.kv_heads, /*back=*/true, d_qkv);
  at::Tensor normed = scratch.normed.Get(tokens, config.hidden_size);
  RmsNormAgain(x, weights.input_norm, rstd, normed);
  AddGradient(gradients.qkv, d_qkv.t(), normed);
  Multiply(normed, d_qkv, weights.qkv);
  RmsNormBackward(x, weights.input_norm, rstd, normed, d_hidden, gradients.input_norm);
}

}  // namespace

void BlockBackward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                   const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                   at::Tensor& d_hidden, const BlockTensors& gradients) {
  MlpBackward(context, weights, dropout, kept, scratch, d_hidden, gradients);
  AttentionPartBackward(context, pack, weights, dropout, x, kept, scratch, d_hidden, gradients);
}

}  // namespace srlm::trainer
