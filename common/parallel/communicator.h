// What ranks of one job say to one another, behind one interface: MPI (mpi_communicator.h) and threads of one process
// (thread_communicator.h), and NCCL for a device's memory (device_communicator.h). Every rank calls the same operations
// in the same order. Every wait has a deadline, and a failure names the operation, its number in that order, and the
// ranks that are behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::parallel {

enum class DataType { kFloat32, kFloat64, kInt64, kByte, kBFloat16 };
/// Where a buffer's memory is: the host's, or that of the device that this rank computes on (device_communicator.h).
enum class Memory { kHost, kDevice };

/// Bytes of one element.
size_t ElementBytes(DataType type);

/// out = blocks[0] + blocks[1] + ..., `count` elements each, in this order. `out` may be one of the blocks.
void SumInOrder(DataType type, std::span<const void* const> blocks, int64_t count, void* out);

/// Memory that an operation reads and writes; the caller keeps it until the operation is done.
struct Buffer {
  void* data = nullptr;
  int64_t count = 0;  // elements
  DataType type = DataType::kFloat32;
  Memory memory = Memory::kHost;

  size_t bytes() const { return static_cast<size_t>(count) * ElementBytes(type); }
  /// Elements [begin, begin + elements).
  Buffer Part(int64_t begin, int64_t elements) const {
    return {static_cast<std::byte*>(data) + static_cast<size_t>(begin) * ElementBytes(type), elements, type, memory};
  }
};
inline Buffer BufferOf(std::span<float> values) {
  return {values.data(), static_cast<int64_t>(values.size()), DataType::kFloat32, Memory::kHost};
}
inline Buffer BufferOf(std::span<double> values) {
  return {values.data(), static_cast<int64_t>(values.size()), DataType::kFloat64, Memory::kHost};
}
inline Buffer BufferOf(std::span<int64_t> values) {
  return {values.data(), static_cast<int64_t>(values.size()), DataType::kInt64, Memory::kHost};
}
inline Buffer BufferOf(std::span<char> values) {
  return {values.data(), static_cast<int64_t>(values.size()), DataType::kByte, Memory::kHost};
}

struct CommunicatorOptions {
  double timeout_s = 600;  // of each wait; MPI's ranks do not count the time in which another is in an AloneWork
};

/// An operation that has begun. Call Wait before its buffer goes: until then it may still be written. Without Wait the
/// communicator is of no more use.
class Pending {
 public:
  virtual ~Pending() = default;
  /// Lets the operation go on, without waiting. True when it is done.
  virtual Result<bool> Poll() = 0;
  /// Waits for the end. DeadlineExceeded names the operation; after a failure the communicator is of no more use.
  virtual Status Wait() = 0;
};

/// A group of ranks. Not thread-safe: one thread of a rank uses it. Sums in the host's memory have one order for one
/// number of ranks, so the same inputs give the same bits. After an operation that failed, every later one fails at
/// once in the same way.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Ranks of this group on this host, this one included, and this one's place among them.
  virtual int ranks_on_host() const = 0;
  virtual int rank_on_host() const = 0;
  /// Those of them that may run on a core of this rank, this one included: 1 for a rank that is bound to its own.
  virtual int ranks_on_cores() const = 0;

  /// Sum over ranks, element by element, in place on every rank. `name` says what it is in messages; not of bytes,
  /// and of bfloat16 in a device's memory only.
  virtual Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) = 0;
  /// `root`'s content on every rank.
  virtual Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) = 0;
  /// Every rank's `send` one after the other, in rank order, into `receive` (size() times send's count). `send` may
  /// stand in this rank's place of `receive` already.
  virtual Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) = 0;
  /// `send` is size() blocks of receive's count: `receive` becomes the sum over ranks of this rank's block, added in
  /// the order of ranks, 0 + 1 + 2 + ..., whatever the count. It may be that block of `send` itself; the other blocks
  /// stay as they were. Types as above; of a device's memory the order of the sum is NCCL's.
  virtual Result<std::unique_ptr<Pending>> StartReduceScatterSum(Buffer send, Buffer receive,
                                                                 std::string_view name) = 0;
  /// Every rank's `send` one after the other, in rank order, into `receive` on `root`, which is other memory
  /// than `send`; elsewhere `receive` is not looked at.
  virtual Result<std::unique_ptr<Pending>> StartGather(Buffer send, Buffer receive, int root,
                                                       std::string_view name) = 0;
  /// Done when every rank has come here.
  virtual Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) = 0;

  /// A failure of an operation on a device's memory that came after its Wait, as long as there is none Ok: such a Wait
  /// orders the device's work, and does not stay for its end. To be asked once what was computed has been read.
  virtual Status Check() { return OkStatus(); }

  /// The part of the job that this rank is in now, such as "step 17": for messages about ranks that hang.
  virtual void SetPhase(std::string_view) {}

  /// `came` says, from any thread and for as long as the session lasts, whether this rank was told to end (SIGTERM):
  /// the others hear of it outside all operations.
  virtual void TellNotice(std::function<bool()> /*came*/) {}
  /// Whether another rank was.
  virtual bool AnotherWasNoticed() const { return false; }

  Status AllReduceSum(Buffer buffer, std::string_view name);
  Status Broadcast(Buffer buffer, int root, std::string_view name);
  Status AllGather(Buffer send, Buffer receive, std::string_view name);
  Status Gather(Buffer send, Buffer receive, int root, std::string_view name);
  Status ReduceScatterSum(Buffer send, Buffer receive, std::string_view name);
  Status Barrier(std::string_view name);

  // AloneWork's.
  virtual void BeginAlone(std::string_view) {}
  virtual void EndAlone() {}
};

/// While it lives this rank does something that the others wait for and that is no part of their step: it writes its
/// part of a checkpoint. As long as this rank is heard, their waits do not come nearer to their deadline
/// (wait_clock.h). Between operations only. Ranks that are threads of one process have no such thing.
class AloneWork {
 public:
  /// `what` for messages: "writing a checkpoint".
  AloneWork(Communicator& communicator, std::string_view what) : communicator_(communicator) {
    communicator_.BeginAlone(what);
  }
  ~AloneWork() { communicator_.EndAlone(); }
  AloneWork(const AloneWork&) = delete;
  AloneWork& operator=(const AloneWork&) = delete;

 private:
  Communicator& communicator_;
};

/// What an implementation demands of a reduce-scatter's buffers.
void CheckReduceScatter(const Buffer& send, const Buffer& receive, int ranks);

/// `operation #number 'name'`: how an operation is called in messages.
std::string OperationName(std::string_view operation, int64_t number, std::string_view name);
/// `on rank r of n`.
std::string OnRank(int rank, int size);

/// What came of asking all ranks whether they are well.
struct Agreement {
  /// Ok on all ranks or on none. The lowest failed rank has its own failure, the others Aborted with that rank's
  /// number.
  Status status;
  /// False: the asking itself failed (a rank is gone, or hangs), so peers may be anywhere, and nothing that all ranks
  /// must do together (MPI's end among it) will work any more. `status` says why.
  bool together = true;
};

/// Asks all ranks: if any brings a failure, every rank gets one, so that all leave at the same place instead of waiting
/// for one another.
Agreement Agree(Communicator& communicator, const Status& mine, std::string_view name);

}  // namespace srlm::parallel
