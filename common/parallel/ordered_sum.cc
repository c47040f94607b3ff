#include "common/parallel/ordered_sum.h"

#include <algorithm>

namespace srlm::parallel {
namespace {

constexpr size_t kFew = 4096;  // values that are sent whole to every rank: one operation is waited for instead of two

/// The sum of `blocks` blocks of out.size() values, the first block first.
void SumBlocks(std::span<const float> blocks, std::span<float> out) {
  std::copy_n(blocks.begin(), out.size(), out.begin());
  for (size_t begin = out.size(); begin < blocks.size(); begin += out.size()) {
    for (size_t i = 0; i < out.size(); ++i) out[i] += blocks[begin + i];
  }
}

}  // namespace

Status OrderedSum::Sum(std::span<float> values, std::string_view name) {
  if (communicator_.size() == 1 || values.empty()) return OkStatus();
  return values.size() <= kFew ? SumFew(values, name) : SumMany(values, name);
}

Status OrderedSum::SumFew(std::span<float> values, std::string_view name) {
  receive_.resize(values.size() * static_cast<size_t>(communicator_.size()));
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(BufferOf(values), BufferOf(std::span(receive_)), name));
  SumBlocks(receive_, values);
  return OkStatus();
}

Status OrderedSum::SumMany(std::span<float> values, std::string_view name) {
  const auto ranks = static_cast<size_t>(communicator_.size());
  const size_t block = (values.size() + ranks - 1) / ranks;
  send_.assign(block * ranks, 0.0f);
  receive_.resize(block * ranks);
  std::ranges::copy(values, send_.begin());
  SRLM_RETURN_IF_ERROR(communicator_.AllToAll(BufferOf(std::span(send_)), BufferOf(std::span(receive_)), name));
  const std::span<float> mine = std::span(send_).first(block);
  SumBlocks(receive_, mine);
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(BufferOf(mine), BufferOf(std::span(receive_)), name));
  std::copy_n(receive_.begin(), values.size(), values.begin());
  return OkStatus();
}

}  // namespace srlm::parallel
