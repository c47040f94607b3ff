#include "common/parallel/communicator.h"

#include <fmt/format.h>

#include <vector>

namespace srlm::parallel {
namespace {

Status WaitFor(Result<std::unique_ptr<Pending>> started) {
  if (!started.ok()) return started.status();
  return started.value()->Wait();
}

}  // namespace

size_t ElementBytes(DataType type) {
  switch (type) {
    case DataType::kFloat32: return 4;
    case DataType::kFloat64: return 8;
    case DataType::kInt64: return 8;
    case DataType::kByte: return 1;
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

Status Communicator::AllToAll(Buffer send, Buffer receive, std::string_view name) {
  return WaitFor(StartAllToAll(send, receive, name));
}

Status Communicator::Barrier(std::string_view name) { return WaitFor(StartBarrier(name)); }

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
