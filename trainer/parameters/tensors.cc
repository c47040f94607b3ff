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
  return {.input_norm = VectorOf(table.at(block.input_norm), unit, flat),
          .qkv = MatrixOf(q, qkv, hidden, unit, flat),
          .o = MatrixOf(table.at(block.o), hidden, config.query_size(), unit, flat),
          .post_norm = VectorOf(table.at(block.post_norm), unit, flat),
          .gate_up = MatrixOf(gate, 2 * inner, hidden, unit, flat),
          .down = MatrixOf(table.at(block.down), hidden, inner, unit, flat)};
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
