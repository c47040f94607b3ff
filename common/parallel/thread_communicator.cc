#include "common/parallel/thread_communicator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>

#include "common/base/clock.h"

namespace srlm::parallel {
namespace {

enum class Kind { kAllReduceSum, kBroadcast, kAllGather, kGather, kReduceScatterSum, kBarrier };

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kAllReduceSum: return "all-reduce";
    case Kind::kBroadcast: return "broadcast";
    case Kind::kAllGather: return "all-gather";
    case Kind::kGather: return "gather";
    case Kind::kReduceScatterSum: return "reduce-scatter";
    case Kind::kBarrier: return "barrier";
  }
  return "operation";
}

/// What one rank brings to an operation.
struct Part {
  Buffer send;
  Buffer receive;  // gathers and reduce-scatter only
};

/// One operation of the group, from its first rank's start to its last rank's wait.
struct Operation {
  Kind kind = Kind::kBarrier;
  std::string name;
  int root = 0;
  std::vector<Part> parts;  // by rank
  std::vector<bool> arrived;
  int arrivals = 0;
  int leavers = 0;
  bool done = false;
  std::string mismatch;  // not empty: the ranks disagree
  int gave_up = -1;      // rank that left at its deadline, and took its buffers along
};

/// The sum of block `block` of `count` elements of every rank's `send`, into `out`.
void SumBlock(const std::vector<Part>& parts, int64_t block, int64_t count, void* out) {
  std::vector<const void*> blocks;
  for (const Part& part : parts) blocks.push_back(part.send.Part(block * count, count).data);
  SumInOrder(parts.front().send.type, blocks, count, out);
}

void GatherInto(const std::vector<Part>& parts, const Buffer& receive) {
  auto* to = static_cast<std::byte*>(receive.data);
  for (const Part& from : parts) {
    if (from.send.data != to) std::memcpy(to, from.send.data, from.send.bytes());
    to += from.send.bytes();
  }
}

/// All parts are there and nobody touches them: does the work of the operation.
void Finish(Operation& operation) {
  switch (operation.kind) {
    case Kind::kBarrier: break;
    case Kind::kAllReduceSum: {
      const Buffer& total = operation.parts.front().send;
      SumBlock(operation.parts, 0, total.count, total.data);
      for (const Part& part : operation.parts) {
        if (part.send.data != total.data) std::memcpy(part.send.data, total.data, total.bytes());
      }
      break;
    }
    case Kind::kBroadcast: {
      const Buffer& from = operation.parts[static_cast<size_t>(operation.root)].send;
      for (const Part& part : operation.parts) {
        if (part.send.data != from.data) std::memcpy(part.send.data, from.data, from.bytes());
      }
      break;
    }
    case Kind::kAllGather:
      for (const Part& part : operation.parts) GatherInto(operation.parts, part.receive);
      break;
    case Kind::kGather:
      GatherInto(operation.parts, operation.parts[static_cast<size_t>(operation.root)].receive);
      break;
    case Kind::kReduceScatterSum:
      for (size_t rank = 0; rank < operation.parts.size(); ++rank) {
        const Buffer& out = operation.parts[rank].receive;
        SumBlock(operation.parts, static_cast<int64_t>(rank), out.count, out.data);
      }
      break;
  }
}

/// What the threads of a group share.
class Group {
 public:
  Group(int size, const CommunicatorOptions& options) : size_(size), timeout_s_(options.timeout_s) {}
  int size() const { return size_; }

  void Arrive(int64_t number, int rank, Kind kind, std::string_view name, int root, const Part& part) {
    const std::lock_guard lock(mutex_);
    Operation& operation = operations_[number];
    if (operation.arrivals == 0) {
      operation.kind = kind;
      operation.name = name;
      operation.root = root;
      operation.parts.resize(static_cast<size_t>(size_));
      operation.arrived.resize(static_cast<size_t>(size_), false);
    } else if (operation.kind != kind || operation.name != name || operation.root != root ||
               operation.parts[FirstArrived(operation)].send.bytes() != part.send.bytes()) {
      operation.mismatch = fmt::format("rank {} is at {} '{}', another at {} '{}'", rank, KindName(kind), name,
                                       KindName(operation.kind), operation.name);
    }
    operation.parts[static_cast<size_t>(rank)] = part;
    operation.arrived[static_cast<size_t>(rank)] = true;
    if (++operation.arrivals < size_) return;
    if (operation.mismatch.empty() && operation.gave_up < 0) Finish(operation);
    operation.done = true;
    changed_.notify_all();
  }

  bool Done(int64_t number) {
    const std::lock_guard lock(mutex_);
    return operations_.at(number).done;
  }

  Status Leave(int64_t number, int rank) { return Leave(number, rank, timeout_s_); }

  /// This rank has failed elsewhere, and takes its buffers along.
  void Abandon(int64_t number, int rank) { (void)Leave(number, rank, 0); }

 private:
  Status Leave(int64_t number, int rank, double timeout_s) {
    std::unique_lock lock(mutex_);
    Operation& operation = operations_.at(number);
    const Deadline deadline = Deadline::AfterSeconds(timeout_s);
    changed_.wait_until(lock, deadline.at(), [&] { return operation.done; });
    const Status status =
        End(operation, OperationName(KindName(operation.kind), number, operation.name) + " " + OnRank(rank, size_));
    if (!operation.done) operation.gave_up = rank;
    if (++operation.leavers == size_) operations_.erase(number);
    return status;
  }

  Status End(const Operation& operation, const std::string& name) const {
    if (!operation.done) {
      std::vector<int> missing;
      for (int other = 0; other < size_; ++other) {
        if (!operation.arrived[static_cast<size_t>(other)]) missing.push_back(other);
      }
      return DeadlineExceeded(fmt::format("{} did not end within {} s: not there yet: rank {}", name, timeout_s_,
                                          fmt::join(missing, ", ")));
    }
    if (operation.gave_up >= 0) {
      return DeadlineExceeded(
          fmt::format("{}: rank {} waited {} s for this rank and left", name, operation.gave_up, timeout_s_));
    }
    if (!operation.mismatch.empty()) {
      return FailedPrecondition(name + ": the ranks disagree: " + operation.mismatch);
    }
    return OkStatus();
  }

  static size_t FirstArrived(const Operation& operation) {
    size_t rank = 0;
    while (!operation.arrived[rank]) ++rank;
    return rank;
  }

  const int size_;
  const double timeout_s_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Operation> operations_;  // by number, guarded by mutex_
};

class ThreadPending : public Pending {
 public:
  ThreadPending(std::shared_ptr<Group> group, int64_t number, int rank, std::shared_ptr<Status> failed)
      : group_(std::move(group)), number_(number), rank_(rank), failed_(std::move(failed)) {}
  ~ThreadPending() override {
    if (!waited_) group_->Abandon(number_, rank_);
  }
  Result<bool> Poll() override { return waited_ || group_->Done(number_); }
  Status Wait() override {
    if (waited_) return result_;
    waited_ = true;
    result_ = group_->Leave(number_, rank_);
    if (failed_->ok()) *failed_ = result_;
    return result_;
  }

 private:
  std::shared_ptr<Group> group_;
  int64_t number_;
  int rank_;
  bool waited_ = false;
  Status result_;
  std::shared_ptr<Status> failed_;
};

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }
  int ranks_on_host() const override { return group_->size(); }
  int rank_on_host() const override { return rank_; }
  int ranks_on_cores() const override { return group_->size(); }

  Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) override {
    SRLM_CHECK(buffer.type != DataType::kByte, "bytes cannot be summed");
    return Start(Kind::kAllReduceSum, name, 0, {buffer, {}});
  }
  Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) override {
    return Start(Kind::kBroadcast, name, root, {buffer, {}});
  }
  Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() * static_cast<size_t>(size()), "an all-gather of another size");
    return Start(Kind::kAllGather, name, 0, {send, receive});
  }
  Result<std::unique_ptr<Pending>> StartGather(Buffer send, Buffer receive, int root, std::string_view name) override {
    return Start(Kind::kGather, name, root, {send, receive});
  }
  Result<std::unique_ptr<Pending>> StartReduceScatterSum(Buffer send, Buffer receive, std::string_view name) override {
    CheckReduceScatter(send, receive, size());
    return Start(Kind::kReduceScatterSum, name, 0, {send, receive});
  }
  Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) override {
    return Start(Kind::kBarrier, name, 0, {});
  }

 private:
  Result<std::unique_ptr<Pending>> Start(Kind kind, std::string_view name, int root, const Part& part) {
    SRLM_CHECK(part.send.memory == Memory::kHost, "threads of one process have no collectives of a device");
    if (!failed_->ok()) return *failed_;
    const int64_t number = next_++;
    group_->Arrive(number, rank_, kind, name, root, part);
    return std::unique_ptr<Pending>(std::make_unique<ThreadPending>(group_, number, rank_, failed_));
  }

  std::shared_ptr<Group> group_;
  int rank_;
  int64_t next_ = 0;
  std::shared_ptr<Status> failed_ = std::make_shared<Status>();  // of the first operation that failed
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> MakeThreadCommunicators(int ranks, const CommunicatorOptions& options) {
  SRLM_CHECK(ranks >= 1, "a group has at least one rank");
  const auto group = std::make_shared<Group>(ranks, options);
  std::vector<std::unique_ptr<Communicator>> communicators;
  for (int rank = 0; rank < ranks; ++rank) communicators.push_back(std::make_unique<ThreadCommunicator>(group, rank));
  return communicators;
}

std::unique_ptr<Communicator> MakeSelfCommunicator() { return std::move(MakeThreadCommunicators(1).front()); }

}  // namespace srlm::parallel
