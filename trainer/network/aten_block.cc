#include "trainer/network/aten_block.h"

#include <optional>

namespace srlm::trainer {
namespace {

at::Tensor Longs(const std::vector<int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

/// Rows of a segment: those that it sees before its own, then its own; [1, heads, rows, head_dim].
at::Tensor RowsOf(const AttentionSegment& segment, const at::Tensor& heads) {
  at::Tensor rows = heads.narrow(0, segment.begin, segment.count);
  if (segment.prefix_count > 0) {
    rows = at::cat({heads.narrow(0, segment.prefix_begin, segment.prefix_count), rows});
  }
  return rows.transpose(0, 1).unsqueeze(0);
}

/// Attention of one segment's own rows [count, heads * head_dim]. The rows before them are queries too, whose results
/// are dropped: so it is plain causal attention, which has the fast kernels.
at::Tensor Attend(const AtenBlockContext& context, const AttentionSegment& segment, const at::Tensor& queries,
                  const at::Tensor& keys, const at::Tensor& values) {
  const model::ModelConfig& config = *context.config;
  const int64_t rows = segment.prefix_count + segment.count;
  std::optional<at::Tensor> mask;
  if (context.window > 0 && rows > context.window) {
    const at::Tensor place = at::arange(rows, at::TensorOptions(queries.device()).dtype(at::kLong));
    const at::Tensor query = place.unsqueeze(1), key = place.unsqueeze(0);
    mask = (key <= query) & (key > query - context.window);
  }
  const at::Tensor out = at::scaled_dot_product_attention(
      RowsOf(segment, queries), RowsOf(segment, keys), RowsOf(segment, values), mask, /*dropout_p=*/0,
      /*is_causal=*/!mask, config.score_scale(), /*enable_gqa=*/config.heads != config.kv_heads);
  return out.squeeze(0)
      .transpose(0, 1)
      .narrow(0, segment.prefix_count, segment.count)
      .reshape({segment.count, config.query_size()});
}

}  // namespace

PackOnDevice::PackOnDevice(const Pack& pack, at::Device device)
    : tokens(Longs(pack.tokens, device)),
      positions(Longs(pack.positions, device)),
      target_rows(Longs(pack.target_rows, device)),
      target_tokens(Longs(pack.target_tokens, device)) {}

at::Tensor AtenNorm(const model::ModelConfig& config, const at::Tensor& x, const at::Tensor& parameter) {
  return at::rms_norm(x, {x.size(-1)}, config.norms_add_one ? parameter + 1 : parameter, config.rms_norm_epsilon);
}

at::Tensor AtenBlockForward(const AtenBlockContext& context, const Pack& pack, const BlockTensors& weights,
                            const at::Tensor& x) {
  const model::ModelConfig& config = *context.config;
  const int64_t tokens = x.size(0), dim = config.head_dim;
  const auto linear = [&](const at::Tensor& in, const at::Tensor& matrix) {
    return at::linear(in.to(context.numbers), matrix.to(context.numbers));
  };
  const auto add = [&](const at::Tensor& to, at::Tensor part, const at::Tensor& norm, const at::Tensor& dropout) {
    part = part.to(at::kFloat);
    if (norm.defined()) part = AtenNorm(config, part, norm);
    if (dropout.defined()) part = part * dropout;
    return to + part;
  };
  // 1. Attention.
  at::Tensor qkv = linear(AtenNorm(config, x, weights.input_norm), weights.qkv).to(at::kFloat);
  if (weights.qkv_bias.defined()) qkv = qkv + weights.qkv_bias;
  at::Tensor queries = qkv.narrow(1, 0, config.query_size()).view({tokens, config.heads, dim});
  at::Tensor keys = qkv.narrow(1, config.query_size(), config.kv_size()).view({tokens, config.kv_heads, dim});
  const at::Tensor values = qkv.narrow(1, config.query_size() + config.kv_size(), config.kv_size())
                                .view({tokens, config.kv_heads, dim})
                                .to(context.numbers);
  if (config.head_norms) {
    queries = AtenNorm(config, queries, weights.q_norm);
    keys = AtenNorm(config, keys, weights.k_norm);
  }
  queries = Rotate(queries, context.rotation).to(context.numbers);
  keys = Rotate(keys, context.rotation).to(context.numbers);
  std::vector<at::Tensor> attended;  // segments follow one another, and cover the pack
  for (const AttentionSegment& segment : pack.segments) {
    attended.push_back(Attend(context, segment, queries, keys, values));
  }
  const at::Tensor middle =
      add(x, linear(at::cat(attended), weights.o), weights.attention_norm, context.attention_dropout);
  // 2. Feed-forward.
  const at::Tensor gate_up = linear(AtenNorm(config, middle, weights.middle_norm), weights.gate_up);
  const at::Tensor gate = gate_up.narrow(1, 0, config.intermediate_size);
  const at::Tensor up = gate_up.narrow(1, config.intermediate_size, config.intermediate_size);
  const at::Tensor active = config.activation == model::Activation::kSilu ? at::silu(gate) : at::gelu(gate, "tanh");
  return add(middle, linear(active * up, weights.down), weights.mlp_norm, context.mlp_dropout);
}

}  // namespace srlm::trainer
