#include "trainer/network/decoder_block.h"

#include "trainer/network/row_ops.h"

namespace srlm::trainer {
namespace {

int64_t PlaceOf(const BlockDropout& dropout, BlockPart part) { return DropoutPlace(dropout.layer, part); }

/// out = x + what is left of a . weights^T, with a `norm` that is there of the norm of it.
void AddPart(const model::ModelConfig& config, const BlockDropout& dropout, BlockPart part, const at::Tensor& x,
             const at::Tensor& a, const at::Tensor& weights, const at::Tensor& norm, NormedPart& kept,
             at::Tensor& out) {
  if (!dropout.active() && !norm.defined()) {
    at::addmm_out(out, x, a, weights.t());
    return;
  }
  if (norm.defined()) {
    at::Tensor product = kept.product.Get(x.size(0), x.size(1)), rstd = kept.rstd.Get(x.size(0), 1);
    Multiply(product, a, weights.t());
    RmsNorm(product, NormFactor(config, norm), config.rms_norm_epsilon, out, rstd);
  } else {
    Multiply(out, a, weights.t());
  }
  if (dropout.active()) dropout.masks->Apply(PlaceOf(dropout, part), out);
  out.add_(x);
}

/// The gradient of a . weights^T, of that of AddPart's out: d_out itself where nothing stands between.
at::Tensor PartGradient(const model::ModelConfig& config, const BlockDropout& dropout, BlockPart part,
                        const at::Tensor& d_out, const at::Tensor& norm, NormedPart& kept, BlockScratch& scratch,
                        const at::Tensor& d_norm) {
  if (!dropout.active() && !norm.defined()) return d_out;
  const int64_t tokens = d_out.size(0), width = d_out.size(1);
  at::Tensor d_part = d_out;
  if (dropout.active()) {
    d_part = scratch.d_part.Get(tokens, width);
    d_part.copy_(d_out);
    dropout.masks->Apply(PlaceOf(dropout, part), d_part);
  }
  if (!norm.defined()) return d_part;
  at::Tensor d_product = scratch.d_product.Get(tokens, width).zero_();
  RmsNormBackward(kept.product.Get(tokens, width), NormFactor(config, norm), kept.rstd.Get(tokens, 1), d_part,
                  d_product, d_norm);
  return d_product;
}

/// gradient += a b, where it is wanted.
void AddGradient(const at::Tensor& gradient, const at::Tensor& a, const at::Tensor& b) {
  if (gradient.defined()) MultiplyAdd(gradient, a, b);
}

/// Queries, keys and values of normed rows, with their rotary positions.
at::Tensor QueriesKeysValues(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                             const at::Tensor& normed, BlockActivations& kept) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = normed.size(0);
  at::Tensor qkv = kept.qkv.Get(tokens, context.heads.row_size());
  Multiply(qkv, normed, weights.qkv.t());
  if (config.qkv_bias) qkv.add_(weights.qkv_bias);
  if (config.head_norms) {
    at::Tensor raw = kept.raw_heads.Get(tokens, context.heads.query_size() + context.heads.kv_size());
    at::Tensor rstd = kept.heads_rstd.Get(tokens, config.heads + config.kv_heads);
    NormHeads(context.heads, NormFactor(config, weights.q_norm), NormFactor(config, weights.k_norm),
              config.rms_norm_epsilon, qkv, raw, rstd);
  }
  ApplyRope(*context.rope, pack.positions, config.heads + config.kv_heads, /*back=*/false, qkv);
  return qkv;
}

}  // namespace

void BlockForward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                  const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                  at::Tensor& out) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = x.size(0), hidden = config.hidden_size;
  at::Tensor normed = scratch.normed.Get(tokens, hidden);
  at::Tensor input_rstd = kept.input_rstd.Get(tokens, 1);
  RmsNorm(x, NormFactor(config, weights.input_norm), config.rms_norm_epsilon, normed, input_rstd);
  const at::Tensor qkv = QueriesKeysValues(context, pack, weights, normed, kept);
  at::Tensor attention = kept.attention.Get(tokens, config.query_size());
  at::Tensor lse = kept.lse.Get(tokens, config.heads);
  Attention(pack, context.heads, qkv, attention, lse);
  at::Tensor middle = kept.middle.Get(tokens, hidden);
  AddPart(config, dropout, BlockPart::kAttention, x, attention, weights.o, weights.attention_norm, kept.attention_part,
          middle);

  at::Tensor middle_rstd = kept.middle_rstd.Get(tokens, 1);
  RmsNorm(middle, NormFactor(config, weights.middle_norm), config.rms_norm_epsilon, normed, middle_rstd);
  at::Tensor gate_up = kept.gate_up.Get(tokens, 2 * config.intermediate_size);
  Multiply(gate_up, normed, weights.gate_up.t());
  at::Tensor inner = scratch.inner.Get(tokens, config.intermediate_size);
  GatedUnit(config.activation, gate_up, inner);
  AddPart(config, dropout, BlockPart::kMlp, middle, inner, weights.down, weights.mlp_norm, kept.mlp_part, out);
}

namespace {

/// Through the MLP: d_hidden is the gradient of the block's output, then of `middle`.
void MlpBackward(const BlockContext& context, const BlockTensors& weights, const BlockDropout& dropout,
                 BlockActivations& kept, BlockScratch& scratch, at::Tensor& d_hidden, const BlockTensors& gradients) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = d_hidden.size(0), hidden = config.hidden_size;
  const int64_t width = config.intermediate_size;
  at::Tensor gate_up = kept.gate_up.Get(tokens, 2 * width);
  at::Tensor middle = kept.middle.Get(tokens, hidden), rstd = kept.middle_rstd.Get(tokens, 1);
  at::Tensor inner = scratch.inner.Get(tokens, width);
  GatedUnit(config.activation, gate_up, inner);
  const at::Tensor d_part = PartGradient(config, dropout, BlockPart::kMlp, d_hidden, weights.mlp_norm, kept.mlp_part,
                                         scratch, gradients.mlp_norm);
  AddGradient(gradients.down, d_part.t(), inner);
  Multiply(inner, d_part, weights.down);  // now the gradient of the gated unit's output
  at::Tensor d_gate_up = scratch.d_inner.Get(tokens, 2 * width);
  GatedUnitBackward(config.activation, gate_up, inner, d_gate_up);
  const at::Tensor norm = NormFactor(config, weights.middle_norm);
  at::Tensor normed = scratch.normed.Get(tokens, hidden);
  RmsNormAgain(middle, norm, rstd, normed);
  AddGradient(gradients.gate_up, d_gate_up.t(), normed);
  Multiply(normed, d_gate_up, weights.gate_up);  // now the gradient of the norm's output
  RmsNormBackward(middle, norm, rstd, normed, d_hidden, gradients.middle_norm);
}

/// d_qkv from the gradient of rotated, normed heads to that of the projection's output.
void HeadsBackward(const BlockContext& context, const Pack& pack, const BlockTensors& weights, BlockActivations& kept,
                   at::Tensor& d_qkv, const BlockTensors& gradients) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = d_qkv.size(0);
  ApplyRope(*context.rope, pack.positions, config.heads + config.kv_heads, /*back=*/true, d_qkv);
  if (config.head_norms) {
    const at::Tensor raw = kept.raw_heads.Get(tokens, context.heads.query_size() + context.heads.kv_size());
    const at::Tensor rstd = kept.heads_rstd.Get(tokens, config.heads + config.kv_heads);
    NormHeadsBackward(context.heads, NormFactor(config, weights.q_norm), NormFactor(config, weights.k_norm), raw, rstd,
                      d_qkv, gradients.q_norm, gradients.k_norm);
  }
  if (gradients.qkv_bias.defined()) {
    at::Tensor d_bias = gradients.qkv_bias;
    d_bias.add_(d_qkv.sum(0));
  }
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
  const at::Tensor d_part = PartGradient(config, dropout, BlockPart::kAttention, d_hidden, weights.attention_norm,
                                         kept.attention_part, scratch, gradients.attention_norm);
  AddGradient(gradients.o, d_part.t(), attention);
  at::Tensor d_attention = scratch.d_hidden.Get(tokens, config.query_size());
  Multiply(d_attention, d_part, weights.o);
  at::Tensor d_qkv = scratch.d_qkv.Get(tokens, context.heads.row_size());
  AttentionBackward(pack, context.heads, qkv, attention, lse, d_attention, d_qkv);
  HeadsBackward(context, pack, weights, kept, d_qkv, gradients);
  const at::Tensor norm = NormFactor(config, weights.input_norm);
  at::Tensor normed = scratch.normed.Get(tokens, config.hidden_size);
  RmsNormAgain(x, norm, rstd, normed);
  AddGradient(gradients.qkv, d_qkv.t(), normed);
  Multiply(normed, d_qkv, weights.qkv);
  RmsNormBackward(x, norm, rstd, normed, d_hidden, gradients.input_norm);
}

}  // namespace

void BlockBackward(const BlockContext& context, const Pack& pack, const BlockTensors& weights,
                   const BlockDropout& dropout, const at::Tensor& x, BlockActivations& kept, BlockScratch& scratch,
                   at::Tensor& d_hidden, const BlockTensors& gradients) {
  MlpBackward(context, weights, dropout, kept, scratch, d_hidden, gradients);
  AttentionPartBackward(context, pack, weights, dropout, x, kept, scratch, d_hidden, gradients);
}

}  // namespace srlm::trainer
