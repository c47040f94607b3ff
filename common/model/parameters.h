// The parameters of a model by their Hugging Face names, as one flat float32 buffer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "common/model/safetensors.h"

namespace srlm::model {

/// One parameter: its name in Hugging Face's files, its shape, and where it begins in the flat buffer.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  int64_t offset = 0;  // elements from the flat buffer's begin
  int64_t elements = 0;
  bool decays = true;  // weight decay applies: matrices yes, norms no
};

/// Of a parameter that the family has not.
inline constexpr int kNoParameter = -1;

/// Parameters of one decoder block, as indices into ParameterTable::parameters.
struct BlockParameters {
  int input_norm = 0;                 // [hidden], before attention
  int q = 0;                          // [heads * head_dim, hidden]
  int k = 0;                          // [kv_heads * head_dim, hidden]
  int v = 0;                          // [kv_heads * head_dim, hidden]
  int q_bias = kNoParameter;          // [heads * head_dim]
  int k_bias = kNoParameter;          // [kv_heads * head_dim]
  int v_bias = kNoParameter;          // [kv_heads * head_dim]
  int q_norm = kNoParameter;          // [head_dim]
  int k_norm = kNoParameter;          // [head_dim]
  int o = 0;                          // [hidden, heads * head_dim]
  int attention_norm = kNoParameter;  // [hidden], of what attention gives
  int middle_norm = 0;                // [hidden], before the MLP
  int gate = 0;                       // [intermediate, hidden]
  int up = 0;                         // [intermediate, hidden]
  int down = 0;                       // [hidden, intermediate]
  int mlp_norm = kNoParameter;        // [hidden], of what the MLP gives
};

/// Parameters that stand next to one another and go together from rank to rank where each rank holds a part of them.
struct ParameterUnit {
  int64_t begin = 0;     // elements from the flat buffer's begin
  int64_t elements = 0;  // of the parameters
  int64_t room = 0;      // with the unused elements after them: where the next unit begins
};

/// All parameters in order: embedding, blocks, final norm, lm_head (absent when tied). Within a block q, k, v, their
/// biases, and gate, up stand next to one another, so that each group is one matrix, or vector.
struct ParameterTable {
  std::vector<Parameter> parameters;
  std::vector<BlockParameters> blocks;
  std::vector<ParameterUnit> units;  // the embedding; each block; final norm and lm_head
  int embedding = 0;                 // [vocabulary, hidden]
  int final_norm = 0;                // [hidden]
  int lm_head = 0;                   // [vocabulary, hidden]; the embedding's index when tied
  int64_t total_elements = 0;        // of the flat buffer

  const Parameter& at(int index) const { return parameters[static_cast<size_t>(index)]; }
};
/// Every unit's room is a multiple of `unit_multiple`.
ParameterTable MakeParameterTable(const ModelConfig& config, int64_t unit_multiple = 1);

/// The weight files of a model folder (model.safetensors, or shards named by model.safetensors.index.json), opened
/// and checked: every parameter is there once with its shape and a floating type. Nothing is copied yet.
class WeightFiles {
 public:
  static Result<WeightFiles> Open(const std::string& folder, const ParameterTable& table);
  /// Copies one parameter as float32; `out` has its elements.
  void Read(const Parameter& parameter, std::span<float> out) const;
  /// Copies a block of a matrix; `out` is [slice.rows, slice.columns].
  void Read(const Parameter& parameter, const Slice& slice, std::span<float> out) const;
  /// Copies elements [begin, begin + out.size()) of the table's flat buffer; unused ones become 0.
  void ReadRange(const ParameterTable& table, int64_t begin, std::span<float> out) const;

 private:
  const SafetensorsFile& FileOf(const Parameter& parameter) const;
  std::vector<SafetensorsFile> files_;
};

}  // namespace srlm::model
