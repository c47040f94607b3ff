#include "common/parallel/ordered_sum.h"

#include <algorithm>

namespace srlm::parallel {
namespace {

constexpr size_t kFew = 4096;  // values that are sent whole to every rank: one operation is waited for instead of two

}  // namespace

Status OrderedSum::Sum(std::span<float> values, std::string_view name) {
  if (communicator_.size() == 1 || values.empty()) return OkStatus();
  return values.size() <= kFew ? SumFew(values, name) : SumMany(values, name);
}

Status OrderedSum::SumFew(std::span<float> values, std::string_view name) {
  const auto ranks = static_cast<size_t>(communicator_.size());
  all_.resize(values.size() * ranks);
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(BufferOf(values), BufferOf(std::span(all_)), name));
  std::vector<const void*> blocks;
  for (size_t rank = 0; rank < ranks; ++rank) blocks.push_back(all_.data() + rank * values.size());
  SumInOrder(DataType::kFloat32, blocks, static_cast<int64_t>(values.size()), values.data());
  return OkStatus();
}

Status OrderedSum::SumMany(std::span<float> values, std::string_view name) {
  const int64_t ranks = communicator_.size();
  const int64_t block = (static_cast<int64_t>(values.size()) + ranks - 1) / ranks;
  all_.assign(static_cast<size_t>(block * ranks), 0.0f);
  std::ranges::copy(values, all_.begin());
  const Buffer all = BufferOf(std::span(all_)), mine = all.Part(communicator_.rank() * block, block);
  SRLM_RETURN_IF_ERROR(communicator_.ReduceScatterSum(all, mine, name));
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(mine, all, name));
  std::copy_n(all_.begin(), values.size(), values.begin());
  return OkStatus();
}

}  // namespace srlm::parallel
