#include "worker/engine/packed_weights.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "common/model/parameters.h"

namespace srlm::worker {
namespace {

using model::Parameter;

constexpr int64_t kScratchElements = int64_t{1} << 20;  // of a tensor that is unpacked at once

/// Reads parameters through one scratch buffer into packed matrices.
class Packer {
 public:
  Packer(const model::ModelConfig& config, const model::ParameterTable& table, const model::WeightFiles& files,
         const KernelTable& kernels, const std::function<void()>& progress)
      : config_(config), table_(table), files_(files), kernels_(kernels), progress_(progress) {}

  /// A whole vector; empty where the family has not got it.
  std::vector<float> Vector(int parameter) {
    if (parameter == model::kNoParameter) return {};
    const Parameter& p = table_.at(parameter);
    std::vector<float> values(static_cast<size_t>(p.elements));
    files_.Read(p, values);
    progress_();
    return values;
  }

  std::vector<float> Norm(int parameter) {
    std::vector<float> values = Vector(parameter);
    if (config_.norms_add_one) {
      for (float& value : values) value += 1.0f;
    }
    return values;
  }

  /// The rows of a bias that stand beside those rows of its matrix, after what is in `to`.
  void AppendBias(int parameter, const model::Slice& rows, std::vector<float>& to) {
    const std::vector<float> whole = Vector(parameter);
    if (!whole.empty()) to.insert(to.end(), whole.begin() + rows.row, whole.begin() + rows.row + rows.rows);
  }

  /// A block of a parameter.
  struct Part {
    int parameter;
    model::Slice slice;
  };

  /// Stacks blocks [rows_i, columns] under one another.
  Result<PackedMatrix> Matrix(std::initializer_list<Part> parts) {
    PackedMatrix matrix;
    for (const Part& part : parts) {
      matrix.n += part.slice.rows;
      matrix.k = part.slice.columns;
    }
    const int64_t elements = PackedElements(matrix.n, matrix.k, kernels_.panel_columns);
    matrix.data = LazyBuffer(elements);
    if (!matrix.data.ok()) {
      return ResourceExhausted(fmt::format("no memory for the {} MiB of '{}'", elements * 4 >> 20,
                                           table_.at(parts.begin()->parameter).name));
    }
    int64_t row = 0;
    for (const Part& part : parts) {
      Pack(part, row, matrix);
      row += part.slice.rows;
      progress_();
    }
    return matrix;
  }

 private:
  /// Reads and packs a few rows at a time, to rows [row, row + part.slice.rows) of the matrix.
  void Pack(const Part& part, int64_t row, PackedMatrix& matrix) {
    const int64_t at_once = std::max<int64_t>(1, kScratchElements / part.slice.columns);
    for (int64_t begin = 0; begin < part.slice.rows; begin += at_once) {
      model::Slice piece = part.slice;
      piece.row += begin;
      piece.rows = std::min(at_once, part.slice.rows - begin);
      scratch_.resize(static_cast<size_t>(piece.rows * piece.columns));
      files_.Read(table_.at(part.parameter), piece, scratch_);
      PackRows(scratch_.data(), row + begin, piece.rows, piece.columns, kernels_.panel_columns, matrix.data.data());
    }
  }

  const model::ModelConfig& config_;
  const model::ParameterTable& table_;
  const model::WeightFiles& files_;
  const KernelTable& kernels_;
  const std::function<void()>& progress_;
  std::vector<float> scratch_;
};

}  // namespace

LazyBuffer::LazyBuffer(int64_t elements) : elements_(elements) {
  void* memory = mmap(nullptr, static_cast<size_t>(elements) * sizeof(float), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  data_ = static_cast<float*>(memory);
  // Weights and caches are read in long runs: fewer, larger pages spare address translations.
  madvise(memory, static_cast<size_t>(elements) * sizeof(float), MADV_HUGEPAGE);
}

LazyBuffer::LazyBuffer(LazyBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), elements_(std::exchange(other.elements_, 0)) {}

LazyBuffer& LazyBuffer::operator=(LazyBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(elements_, other.elements_);
  return *this;
}

LazyBuffer::~LazyBuffer() {
  if (data_ != nullptr) munmap(data_, static_cast<size_t>(elements_) * sizeof(float));
}

Result<PackedWeights> LoadPackedWeights(const std::string& folder, const model::ModelConfig& config,
                                        const model::Shard& shard, const KernelTable& kernels,
                                        const std::function<void()>& progress) {
  const model::ParameterTable table = model::MakeParameterTable(config);
  SRLM_ASSIGN_OR_RETURN(const model::WeightFiles files, model::WeightFiles::Open(folder, table));
  Packer packer(config, table, files, kernels, progress);
  PackedWeights weights;
  SRLM_ASSIGN_OR_RETURN(weights.embedding, packer.Matrix({{table.embedding, shard.Vocabulary()}}));
  for (const model::BlockParameters& from : table.blocks) {
    PackedBlock block;
    block.input_norm = packer.Norm(from.input_norm);
    SRLM_ASSIGN_OR_RETURN(
        block.qkv, packer.Matrix({{from.q, shard.Query()}, {from.k, shard.KeyValue()}, {from.v, shard.KeyValue()}}));
    packer.AppendBias(from.q_bias, shard.Query(), block.qkv_bias);
    packer.AppendBias(from.k_bias, shard.KeyValue(), block.qkv_bias);
    packer.AppendBias(from.v_bias, shard.KeyValue(), block.qkv_bias);
    block.q_norm = packer.Norm(from.q_norm);
    block.k_norm = packer.Norm(from.k_norm);
    SRLM_ASSIGN_OR_RETURN(block.o, packer.Matrix({{from.o, shard.Output()}}));
    block.attention_norm = packer.Norm(from.attention_norm);
    block.middle_norm = packer.Norm(from.middle_norm);
    SRLM_ASSIGN_OR_RETURN(block.gate_up, packer.Matrix({{from.gate, shard.Inner()}, {from.up, shard.Inner()}}));
    SRLM_ASSIGN_OR_RETURN(block.down, packer.Matrix({{from.down, shard.Down()}}));
    block.mlp_norm = packer.Norm(from.mlp_norm);
    weights.blocks.push_back(std::move(block));
  }
  weights.final_norm = packer.Norm(table.final_norm);
  if (!config.tied_embeddings) {
    SRLM_ASSIGN_OR_RETURN(weights.lm_head, packer.Matrix({{table.lm_head, shard.Vocabulary()}}));
  }
  return weights;
}

}  // namespace srlm::worker
