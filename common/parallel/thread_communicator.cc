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

enum class Kind { kAllReduceSum, kBroadcast, kAllGather, kAllToAll, kBarrier };

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kAllReduceSum: return "all-reduce";
    case Kind::kBroadcast: return "broadcast";
    case Kind::kAllGather: return "all-gather";
    case Kind::kAllToAll: return "all-to-all";
    case Kind::kBarrier: return "barrier";
  }
  return "operation";
}

/// What one rank brings to an operation.
struct Part {
  Buffer send;
  Buffer receive;  // all-gather and all-to-all only
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

template <typename T>
void SumParts(const std::vector<Part>& parts) {
  const auto count = static_cast<size_t>(parts.front().send.count);
  T* total = static_cast<T*>(parts.front().send.data);
  for (size_t rank = 1; rank < parts.size(); ++rank) {
    const T* more = static_cast<const T*>(parts[rank].send.data);
    for (size_t i = 0; i < count; ++i) total[i] += more[i];
  }
  for (size_t rank = 1; rank < parts.size(); ++rank) std::memcpy(parts[rank].send.data, total, count * sizeof(T));
}

/// All parts are there and nobody touches them: does the work of the operation.
void Finish(Operation& operation) {
  switch (operation.kind) {
    case Kind::kBarrier: break;
    case Kind::kAllReduceSum:
      switch (operation.parts.front().send.type) {
        case DataType::kFloat32: SumParts<float>(operation.parts); break;
        case DataType::kFloat64: SumParts<double>(operation.parts); break;
        case DataType::kInt64: SumParts<int64_t>(operation.parts); break;
        case DataType::kByte: operation.mismatch = "bytes cannot be summed"; break;
      }
      break;
    case Kind::kBroadcast: {
      const Buffer& from = operation.parts[static_cast<size_t>(operation.root)].send;
      for (const Part& part : operation.parts) {
        if (part.send.data != from.data) std::memcpy(part.send.data, from.data, from.bytes());
      }
      break;
    }
    case Kind::kAllGather:
      for (const Part& part : operation.parts) {
        auto* to = static_cast<std::byte*>(part.receive.data);
        for (const Part& from : operation.parts) {
          std::memcpy(to, from.send.data, from.send.bytes());
          to += from.send.bytes();
        }
      }
      break;
    case Kind::kAllToAll: {
      const size_t block = operation.parts.front().send.bytes() / operation.parts.size();
      for (size_t to = 0; to < operation.parts.size(); ++to) {
        for (size_t from = 0; from < operation.parts.size(); ++from) {
          std::memcpy(static_cast<std::byte*>(operation.parts[to].receive.data) + from * block,
                      static_cast<const std::byte*>(operation.parts[from].send.data) + to * block, block);
        }
      }
      break;
    }
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

  Status Leave(int64_t number, int rank) {
    std::unique_lock lock(mutex_);
    Operation& operation = operations_.at(number);
    const Deadline deadline = Deadline::AfterSeconds(timeout_s_);
    changed_.wait_until(lock, deadline.at(), [&] { return operation.done; });
    const Status status =
        End(operation, OperationName(KindName(operation.kind), number, operation.name) + " " + OnRank(rank, size_));
    if (!operation.done) operation.gave_up = rank;
    if (++operation.leavers == size_) operations_.erase(number);
    return status;
  }

 private:
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
  ThreadPending(std::shared_ptr<Group> group, int64_t number, int rank)
      : group_(std::move(group)), number_(number), rank_(rank) {}
  ~ThreadPending() override { SRLM_CHECK(waited_, "an operation was dropped before its Wait"); }
  Result<bool> Poll() override { return waited_ || group_->Done(number_); }
  Status Wait() override {
    if (waited_) return result_;
    waited_ = true;
    return result_ = group_->Leave(number_, rank_);
  }

 private:
  std::shared_ptr<Group> group_;
  int64_t number_;
  int rank_;
  bool waited_ = false;
  Status result_;
};

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }
  int ranks_on_host() const override { return group_->size(); }
  int ranks_on_cores() const override { return group_->size(); }

  Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) override {
    return Start(Kind::kAllReduceSum, name, 0, {buffer, {}});
  }
  Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) override {
    return Start(Kind::kBroadcast, name, root, {buffer, {}});
  }
  Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() * static_cast<size_t>(size()), "an all-gather of another size");
    return Start(Kind::kAllGather, name, 0, {send, receive});
  }
  Result<std::unique_ptr<Pending>> StartAllToAll(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() && send.count % size() == 0, "an all-to-all of unequal blocks");
    return Start(Kind::kAllToAll, name, 0, {send, receive});
  }
  Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) override {
    return Start(Kind::kBarrier, name, 0, {});
  }

 private:
  Result<std::unique_ptr<Pending>> Start(Kind kind, std::string_view name, int root, const Part& part) {
    const int64_t number = next_++;
    group_->Arrive(number, rank_, kind, name, root, part);
    return std::unique_ptr<Pending>(std::make_unique<ThreadPending>(group_, number, rank_));
  }

  std::shared_ptr<Group> group_;
  int rank_;
  int64_t next_ = 0;
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
