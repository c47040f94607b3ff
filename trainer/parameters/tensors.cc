#include "trainer/parameters/tensors.h"

#include "common/base/check.h"

namespace srlm::trainer {
namespace {

/// `rows` x `columns` elements of a unit from a parameter on.
at::Tensor MatrixOf(const model::Parameter& parameter, int64_t rows, int64_t columns, const model::ParameterUnit& unit,
                    const at::Tensor& flat) {
  return flat.narrow(0, parameter.offset - unit.begin, rows * columns).view({rows, columns});
}

at::Tensor VectorOf(const model::Parameter& parameter, const model::ParameterUnit& unit, const at::Tensor& flat) {
  return flat.narrow(0, parameter.offset - unit.begin, parameter.elements);
}

}  // namespace

void Fill(const at::Tensor& flat, const std::function<void(std::span<float>)>& fill) {
  if (flat.is_cpu()) return fill(SpanOf(flat));
  at::Tensor values = at::empty({flat.numel()}, at::kFloat);
  fill(SpanOf(values));
  at::Tensor(flat).copy_(values);
}

BlockTensors BlockTensorsOf(const model::ModelConfig& config, const model::ParameterTable& table, size_t layer,
                            const at::Tensor& flat) {
  const model::ParameterUnit& unit = table.units[layer + 1];
  const model::BlockParameters& block = table.blocks[layer];
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  const int64_t qkv = config.query_size() + 2 * config.kv_size();
  const model::Parameter &q = table.at(block.q), &v = table.at(block.v), &gate = table.at(block.gate),
                         &up = table.at(block.up);
  SRLM_CHECK(v.offset + v.elements - q.offset == qkv * hidden, "q, k and v must stand next to one another");
  SRLM_CHECK(up.offset + up.elements - gate.offset == 2 * inner * hidden, "gate and up must stand next to one another");
  const auto optional = [&](int parameter) {
    return parameter == model::kNoParameter ? at::Tensor() : VectorOf(table.at(parameter), unit, flat);
  };
  at::Tensor bias;
  if (config.qkv_bias) {
    const model::Parameter &q_bias = table.at(block.q_bias), &v_bias = table.at(block.v_bias);
    SRLM_CHECK(v_bias.offset + v_bias.elements - q_bias.offset == qkv, "biases must stand next to one another");
    bias = flat.narrow(0, q_bias.offset - unit.begin, qkv);
  }
  return {.input_norm = VectorOf(table.at(block.input_norm), unit, flat),
          .qkv = MatrixOf(q, qkv, hidden, unit, flat),
          .qkv_bias = bias,
          .q_norm = optional(block.q_norm),
          .k_norm = optional(block.k_norm),
          .o = MatrixOf(table.at(block.o), hidden, config.query_size(), unit, flat),
          .attention_norm = optional(block.attention_norm),
          .middle_norm = VectorOf(table.at(block.middle_norm), unit, flat),
          .gate_up = MatrixOf(gate, 2 * inner, hidden, unit, flat),
          .down = MatrixOf(table.at(block.down), hidden, inner, unit, flat),
          .mlp_norm = optional(block.mlp_norm)};
}

RootTensors RootTensorsOf(const model::ModelConfig& config, const model::ParameterTable& table, const at::Tensor& first,
                          const at::Tensor& last) {
  const int64_t vocabulary = config.vocabulary_size, hidden = config.hidden_size;
  RootTensors root;
  root.embedding = MatrixOf(table.at(table.embedding), vocabulary, hidden, table.units.front(), first);
  root.final_norm = VectorOf(table.at(table.final_norm), table.units.back(), last);
  root.lm_head = table.lm_head == table.embedding
                     ? root.embedding
                     : MatrixOf(table.at(table.lm_head), vocabulary, hidden, table.units.back(), last);
  return root;
}

}  // namespace srlm::trainer
