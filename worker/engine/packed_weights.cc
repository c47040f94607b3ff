#include "worker/engine/packed_weights.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <utility>

#include "common/model/parameters.h"

namespace srlm::worker {
namespace {

using model::Parameter;

/// Reads parameters through one scratch buffer into packed matrices.
class Packer {
 public:
  Packer(const model::ParameterTable& table, const model::WeightFiles& files, const KernelTable& kernels,
         const std::function<void()>& progress)
      : table_(table), files_(files), kernels_(kernels), progress_(progress) {}

  std::vector<float> Vector(int parameter) {
    const Parameter& p = table_.at(parameter);
    std::vector<float> values(static_cast<size_t>(p.elements));
    files_.Read(p, values);
    progress_();
    return values;
  }

  /// Stacks matrices [n_i, k] under one another.
  Result<PackedMatrix> Matrix(std::initializer_list<int> parameters) {
    PackedMatrix matrix;
    for (const int parameter : parameters) {
      matrix.n += table_.at(parameter).shape[0];
      matrix.k = table_.at(parameter).shape[1];
    }
    const int64_t elements = PackedElements(matrix.n, matrix.k, kernels_.panel_columns);
    matrix.data = LazyBuffer(elements);
    if (!matrix.data.ok()) {
      return ResourceExhausted(
          fmt::format("no memory for the {} MiB of '{}'", elements * 4 >> 20, table_.at(*parameters.begin()).name));
    }
    int64_t row = 0;
    for (const int parameter : parameters) {
      const Parameter& p = table_.at(parameter);
      scratch_.resize(static_cast<size_t>(p.elements));
      files_.Read(p, scratch_);
      PackRows(scratch_.data(), row, p.shape[0], matrix.k, kernels_.panel_columns, matrix.data.data());
      row += p.shape[0];
      progress_();
    }
    return matrix;
  }

 private:
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
                                        const KernelTable& kernels, const std::function<void()>& progress) {
  const model::ParameterTable table = model::MakeParameterTable(config);
  SRLM_ASSIGN_OR_RETURN(const model::WeightFiles files, model::WeightFiles::Open(folder, table));
  Packer packer(table, files, kernels, progress);
  PackedWeights weights;
  SRLM_ASSIGN_OR_RETURN(weights.embedding, packer.Matrix({table.embedding}));
  for (const model::BlockParameters& from : table.blocks) {
    PackedBlock block;
    block.input_norm = packer.Vector(from.input_norm);
    SRLM_ASSIGN_OR_RETURN(block.qkv, packer.Matrix({from.q, from.k, from.v}));
    SRLM_ASSIGN_OR_RETURN(block.o, packer.Matrix({from.o}));
    block.post_norm = packer.Vector(from.post_norm);
    SRLM_ASSIGN_OR_RETURN(block.gate_up, packer.Matrix({from.gate, from.up}));
    SRLM_ASSIGN_OR_RETURN(block.down, packer.Matrix({from.down}));
    weights.blocks.push_back(std::move(block));
  }
  weights.final_norm = packer.Vector(table.final_norm);
  if (!config.tied_embeddings) {
    SRLM_ASSIGN_OR_RETURN(weights.lm_head, packer.Matrix({table.lm_head}));
  }
  return weights;
}

}  // namespace srlm::worker
