#include "common/parallel/communicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace srlm::parallel {
namespace {

Status WaitFor(Result<std::unique_ptr<Pending>> started) {
  if (!started.ok()) return started.status();
  return started.value()->Wait();
}

template <typename T>
void SumBlocks(std::span<const void* const> blocks, int64_t count, T* out) {
  constexpr int64_t kStretch = 1024;  // stays in the cache while all blocks are added
  std::array<T, kStretch> total;
  for (int64_t begin = 0; begin < count; begin += kStretch) {
    const int64_t some = std::min(kStretch, count - begin);
    std::copy_n(static_cast<const T*>(blocks[0]) + begin, some, total.begin());
    for (const void* block : blocks.subspan(1)) {
      const T* more = static_cast<const T*>(block) + begin;
      for (int64_t i = 0; i < some; ++i) total[static_cast<size_t>(i)] += more[i];
    }
    std::copy_n(total.begin(), some, out + begin);
  }
}

}  // namespace

void SumInOrder(DataType type, std::span<const void* const> blocks, int64_t count, void* out) {
  switch (type) {
    case DataType::kFloat32: return SumBlocks(blocks, count, static_cast<float*>(out));
    case DataType::kFloat64: return SumBlocks(blocks, count, static_cast<double*>(out));
    case DataType::kInt64: return SumBlocks(blocks, count, static_cast<int64_t*>(out));
    case DataType::kByte:
    case DataType::kBFloat16: break;
  }
  SRLM_CHECK(false, "bytes and bfloat16 are not summed here");
}

size_t ElementBytes(DataType type) {
  switch (type) {
    case DataType::kFloat32: return 4;
    case DataType::kFloat64: return 8;
    case DataType::kInt64: return 8;
    case DataType::kByte: return 1;
    case DataType::kBFloat16: return 2;
  }
  SRLM_CHECK(false, "an unknown data type");
}

Status Communicator::AllReduceSum(Buffer buffer, std::string_view name) {
  return WaitFor(StartAllReduceSum(buffer, name));
}

Status Communicator::Broadcast(Buffer buffer, int root, std::string_view name) {
  return WaitFor(StartBroadcast(buffer, root, name));
}

Status Communicator::AllGather(Buffer send, Buffer receive, std::string_view name) {
  return WaitFor(StartAllGather(send, receive, name));
}

Status Communicator::ReduceScatterSum(Buffer send, Buffer receive, std::string_view name) {
  return WaitFor(StartReduceScatterSum(send, receive, name));
}

Status Communicator::Gather(Buffer send, Buffer receive, int root, std::string_view name) {
  return WaitFor(StartGather(send, receive, root, name));
}

Status Communicator::Barrier(std::string_view name) { return WaitFor(StartBarrier(name)); }

void CheckReduceScatter(const Buffer& send, const Buffer& receive, int ranks) {
  SRLM_CHECK(send.type != DataType::kByte, "bytes cannot be summed");
  SRLM_CHECK(send.type == receive.type && send.count == receive.count * ranks, "a reduce-scatter of another size");
}

std::string OperationName(std::string_view operation, int64_t number, std::string_view name) {
  return fmt::format("{} #{} '{}'", operation, number, name);
}

std::string OnRank(int rank, int size) { return fmt::format("on rank {} of {}", rank, size); }

Agreement Agree(Communicator& communicator, const Status& mine, std::string_view name) {
  std::vector<int64_t> failed(static_cast<size_t>(communicator.size()), 0);
  failed[static_cast<size_t>(communicator.rank())] = mine.ok() ? 0 : 1;
  if (Status asked = communicator.AllReduceSum(BufferOf(std::span<int64_t>(failed)), name); !asked.ok()) {
    return {mine.ok() ? std::move(asked) : mine, false};
  }
  for (size_t rank = 0; rank < failed.size(); ++rank) {
    if (failed[rank] == 0) continue;
    if (static_cast<int>(rank) == communicator.rank()) return {mine};
    return {Aborted(fmt::format("{}: rank {} failed; its message says why", name, rank))};
  }
  return {};
}

}  // namespace srlm::parallel
