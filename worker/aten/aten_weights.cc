#include "worker/aten/aten_weights.h"

#include <algorithm>
#include <numeric>

#include "common/model/parameters.h"

namespace srlm::worker {
namespace {

constexpr int64_t kPieceElements = int64_t{4} << 20;  // of a matrix that is read at once

class Loader {
 public:
  Loader(const model::ModelConfig& config, const model::ParameterTable& table, const model::WeightFiles& files,
         at::Device device, at::ScalarType type, const std::function<void()>& progress)
      : config_(config), table_(table), files_(files), device_(device), type_(type), progress_(progress) {}

  /// Elements of a vector, in float32; undefined where the family has not got it.
  at::Tensor Vector(int parameter) const {
    if (parameter == model::kNoParameter) return {};
    const model::Parameter& from = table_.at(parameter);
    at::Tensor values = at::empty({from.elements}, at::kFloat);
    files_.Read(from, {values.data_ptr<float>(), static_cast<size_t>(from.elements)});
    progress_();
    return values;
  }

  at::Tensor Norm(int parameter) const {
    const at::Tensor values = Vector(parameter);
    if (!values.defined()) return values;
    return (config_.norms_add_one ? values + 1 : values).to(device_);
  }

  /// A block of a parameter.
  struct Part {
    int parameter;
    model::Slice slice;
  };

  /// The elements of biases that stand beside those rows of their matrices.
  at::Tensor Bias(std::initializer_list<Part> parts) const {
    std::vector<at::Tensor> values;
    for (const Part& part : parts) {
      if (part.parameter == model::kNoParameter) return {};
      values.push_back(Vector(part.parameter).narrow(0, part.slice.row, part.slice.rows));
    }
    return at::cat(values).to(device_);
  }

  /// Stacks blocks [rows_i, columns] under one another.
  at::Tensor Matrix(std::initializer_list<Part> parts) const {
    int64_t rows = 0;
    for (const Part& part : parts) rows += part.slice.rows;
    at::Tensor matrix = at::empty({rows, parts.begin()->slice.columns}, at::TensorOptions(device_).dtype(type_));
    int64_t row = 0;
    for (const Part& part : parts) {
      const int64_t at_once = std::max<int64_t>(1, kPieceElements / part.slice.columns);
      for (int64_t begin = 0; begin < part.slice.rows; begin += at_once) {
        model::Slice piece = part.slice;
        piece.row += begin;
        piece.rows = std::min(at_once, part.slice.rows - begin);
        at::Tensor read = at::empty({piece.rows, piece.columns}, at::kFloat);
        files_.Read(table_.at(part.parameter), piece, {read.data_ptr<float>(), static_cast<size_t>(read.numel())});
        matrix.narrow(0, row + begin, piece.rows).copy_(read);
      }
      row += part.slice.rows;
      progress_();
    }
    return matrix;
  }

 private:
  const model::ModelConfig& config_;
  const model::ParameterTable& table_;
  const model::WeightFiles& files_;
  const at::Device device_;
  const at::ScalarType type_;
  const std::function<void()>& progress_;
};

}  // namespace

Result<AtenWeights> LoadAtenWeights(const std::string& folder, const model::ModelConfig& config,
                                    const model::Shard& shard, at::Device device, at::ScalarType type,
                                    const std::function<void()>& progress) {
  const model::ParameterTable table = model::MakeParameterTable(config);
  SRLM_ASSIGN_OR_RETURN(const model::WeightFiles files, model::WeightFiles::Open(folder, table));
  const Loader loader(config, table, files, device, type, progress);
  AtenWeights weights;
  weights.embedding = loader.Matrix({{table.embedding, shard.Vocabulary()}});
  for (const model::BlockParameters& from : table.blocks) {
    AtenBlock& block = weights.blocks.emplace_back();
    block.input_norm = loader.Norm(from.input_norm);
    block.qkv = loader.Matrix({{from.q, shard.Query()}, {from.k, shard.KeyValue()}, {from.v, shard.KeyValue()}});
    block.qkv_bias =
        loader.Bias({{from.q_bias, shard.Query()}, {from.k_bias, shard.KeyValue()}, {from.v_bias, shard.KeyValue()}});
    block.q_norm = loader.Norm(from.q_norm);
    block.k_norm = loader.Norm(from.k_norm);
    block.o = loader.Matrix({{from.o, shard.Output()}});
    block.attention_norm = loader.Norm(from.attention_norm);
    block.middle_norm = loader.Norm(from.middle_norm);
    block.gate_up = loader.Matrix({{from.gate, shard.Inner()}, {from.up, shard.Inner()}});
    block.down = loader.Matrix({{from.down, shard.Down()}});
    block.mlp_norm = loader.Norm(from.mlp_norm);
  }
  weights.final_norm = loader.Norm(table.final_norm);
  weights.lm_head = config.tied_embeddings ? weights.embedding : loader.Matrix({{table.lm_head, shard.Vocabulary()}});
  return weights;
}

}  // namespace srlm::worker
