#include "common/parallel/mpi_communicator.h"

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/parallel/wait_clock.h"
#include "common/parallel/watchdog.h"

namespace srlm::parallel {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;  // of one MPI operation: bounds MPI's own temporary memory

MPI_Datatype TypeOf(DataType type) {
  switch (type) {
    case DataType::kFloat32: return MPI_FLOAT;
    case DataType::kFloat64: return MPI_DOUBLE;
    case DataType::kInt64: return MPI_INT64_T;
    case DataType::kByte: return MPI_BYTE;
  }
  SRLM_CHECK(false, "an unknown data type");
}

Status MpiFailure(int error, const std::string& name) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(error, text, &length);
  return Unavailable(fmt::format("{}: MPI: {}", name, std::string_view(text, static_cast<size_t>(length))));
}

/// Waits ever longer between two looks: MPI moves data only while it is looked at, so at first this only lets others
/// run; a rank that waits for a slower one sleeps and leaves it the core.
class Backoff {
 public:
  void Pause() {
    const double waited_s = SecondsSince(begin_);
    if (waited_s < 0.02) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(waited_s < 1 ? 30 : 500));
    }
  }
  void Reset() { begin_ = Clock::now(); }

 private:
  Clock::time_point begin_ = Clock::now();
};

/// Pieces of one operation, each an MPI operation, started one after the other.
class MpiPending : public Pending {
 public:
  /// Starts piece [begin, begin + count) of the buffer; returns MPI's error code.
  using StartPiece = std::function<int(int64_t begin, int64_t count, MPI_Request* request)>;

  /// `failed` becomes true with this operation's failure.
  MpiPending(std::string name, RankBoard& board, double timeout_s, int64_t count, int64_t piece, StartPiece start,
             std::shared_ptr<bool> failed)
      : name_(std::move(name)),
        board_(board),
        number_(board.BeginOperation(name_)),
        timeout_s_(timeout_s),
        count_(count),
        piece_(piece),
        start_(std::move(start)),
        failed_(std::move(failed)) {}
  ~MpiPending() override {
    if (!done_) *failed_ = true;  // another failure ends this rank: MPI has no way to take a collective back
  }

  /// Begins the first piece.
  Status Begin() { return status_ = StartNext(); }

  Result<bool> Poll() override {
    if (!status_.ok()) return status_;
    while (!done_) {
      int flag = 0;
      const int error = MPI_Test(&request_, &flag, MPI_STATUS_IGNORE);
      if (error != MPI_SUCCESS) return status_ = MpiFailure(error, FullName());
      if (flag == 0) return false;
      if (at_ >= count_) {
        done_ = true;
      } else {
        SRLM_RETURN_IF_ERROR(status_ = StartNext());
      }
    }
    return true;
  }

  Status Wait() override {
    board_.BeginWait(name_);
    Status status = WaitForAll();
    board_.Compute();
    return status;
  }

 private:
  Status WaitForAll() {
    WaitClock clock(&board_, timeout_s_);
    Backoff backoff;
    int64_t at = at_;
    while (true) {
      SRLM_ASSIGN_OR_RETURN(const bool done, Poll());
      if (done) return OkStatus();
      if (at != at_) backoff.Reset();
      at = at_;
      if (clock.Expired()) {
        return status_ = DeadlineExceeded(Late(clock));
      }
      if (clock.HalfExpired()) {
        LogWarning("long_wait", {{"operation", name_},
                                 {"seconds", clock.waited_s()},
                                 {"timeout_s", timeout_s_},
                                 {"for", board_.WhoIsBehind(number_)}});
      }
      backoff.Pause();
    }
  }

  std::string Late(const WaitClock& clock) const {
    std::string text =
        fmt::format("{} did not end within {} s ({} of {} elements begun): ", FullName(), timeout_s_, at_, count_);
    if (clock.stood_still_s() > 0) {
      text += fmt::format("this rank itself stood still for {:.1f} s, so it may be the one that the others miss; ",
                          clock.stood_still_s());
    }
    return text + board_.WhoIsBehind(number_);
  }

  std::string FullName() const { return name_ + " " + OnRank(board_.rank(), board_.size()); }

  Status StartNext() {
    const int64_t count = std::min(piece_, count_ - at_);
    const int error = start_(at_, count, &request_);
    if (error != MPI_SUCCESS) return MpiFailure(error, FullName());
    at_ += count;
    return OkStatus();
  }

  std::string name_;
  RankBoard& board_;
  int64_t number_;
  double timeout_s_;
  int64_t count_;
  int64_t piece_;
  StartPiece start_;
  MPI_Request request_ = MPI_REQUEST_NULL;
  int64_t at_ = 0;  // elements begun
  bool done_ = false;
  Status status_;
  std::shared_ptr<bool> failed_;
};

/// What Communicator::ranks_on_host and ranks_on_cores count.
struct HostRanks {
  int ranks = 1;
  int sharing_cores = 1;
};

/// Counts the ranks of `host`, which are those of one host, and compares the cores that they may run on.
int CountHostRanks(MPI_Comm host, HostRanks& counted) {
  MPI_Comm_size(host, &counted.ranks);
  cpu_set_t mine;
  CPU_ZERO(&mine);
  // A machine with more cores than the set holds: taken as shared by all.
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) std::memset(&mine, 0xff, sizeof mine);
  std::vector<cpu_set_t> all(static_cast<size_t>(counted.ranks));
  const int bytes = static_cast<int>(sizeof mine);
  if (const int error = MPI_Allgather(&mine, bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, host);
      error != MPI_SUCCESS) {
    return error;
  }
  counted.sharing_cores = 0;
  for (const cpu_set_t& other : all) {
    cpu_set_t common;
    CPU_AND(&common, &mine, &other);
    if (CPU_COUNT(&common) > 0) ++counted.sharing_cores;
  }
  counted.sharing_cores = std::max(1, counted.sharing_cores);
  return MPI_SUCCESS;
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, const HostRanks& host, double timeout_s, RankBoard& board)
      : comm_(comm), host_(host), timeout_s_(timeout_s), board_(board) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~MpiCommunicator() override {
    if (*failed_) return;  // all ranks free it together: impossible after a failure
    const Watchdog watchdog("MPI_Comm_free", timeout_s_, &board_);
    MPI_Comm_free(&comm_);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int ranks_on_host() const override { return host_.ranks; }
  int ranks_on_cores() const override { return host_.sharing_cores; }

  Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) override {
    SRLM_CHECK(buffer.type != DataType::kByte, "bytes cannot be summed");
    return Start("all-reduce", name, buffer, [this, buffer](int64_t begin, int64_t count, MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, At(buffer, begin), static_cast<int>(count), TypeOf(buffer.type), MPI_SUM,
                            comm_, request);
    });
  }

  Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) override {
    return Start("broadcast", name, buffer, [this, buffer, root](int64_t begin, int64_t count, MPI_Request* request) {
      return MPI_Ibcast(At(buffer, begin), static_cast<int>(count), TypeOf(buffer.type), root, comm_, request);
    });
  }

  Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() * static_cast<size_t>(size_), "an all-gather of another size");
    const std::string full_name = OperationName("all-gather", next_++, name);
    if (send.count > INT32_MAX / size_) return InvalidArgument(full_name + ": more elements than MPI counts");
    // One piece: pieces of a gather would not stand one after the other.
    return Begin(full_name, send.count, std::max<int64_t>(send.count, 1),
                 [this, send, receive](int64_t, int64_t count, MPI_Request* request) {
                   return MPI_Iallgather(send.data, static_cast<int>(count), TypeOf(send.type), receive.data,
                                         static_cast<int>(count), TypeOf(send.type), comm_, request);
                 });
  }

  Result<std::unique_ptr<Pending>> StartAllToAll(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() && send.count % size_ == 0, "an all-to-all of unequal blocks");
    const std::string full_name = OperationName("all-to-all", next_++, name);
    if (send.count > INT32_MAX) return InvalidArgument(full_name + ": more elements than MPI counts");
    return Begin(full_name, send.count, std::max<int64_t>(send.count, 1),
                 [this, send, receive](int64_t, int64_t count, MPI_Request* request) {
                   const int block = static_cast<int>(count) / size_;
                   return MPI_Ialltoall(send.data, block, TypeOf(send.type), receive.data, block, TypeOf(send.type),
                                        comm_, request);
                 });
  }

  Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) override {
    return Start("barrier", name, {},
                 [this](int64_t, int64_t, MPI_Request* request) { return MPI_Ibarrier(comm_, request); });
  }

  void SetPhase(std::string_view phase) override { board_.SetPhase(phase); }
  void TellNotice(std::function<bool()> came) override { board_.TellNotice(std::move(came)); }
  bool AnotherWasNoticed() const override { return board_.AnotherWasNoticed(); }

 private:
  void BeginAlone(std::string_view what) override { board_.BeginAlone(what); }
  void EndAlone() override { board_.Compute(); }

  static void* At(const Buffer& buffer, int64_t begin) {
    return static_cast<std::byte*>(buffer.data) + static_cast<size_t>(begin) * ElementBytes(buffer.type);
  }

  Result<std::unique_ptr<Pending>> Start(std::string_view operation, std::string_view name, Buffer buffer,
                                         MpiPending::StartPiece start) {
    const int64_t piece = kPieceBytes / static_cast<int64_t>(ElementBytes(buffer.type));
    return Begin(OperationName(operation, next_++, name), buffer.count, piece, std::move(start));
  }

  Result<std::unique_ptr<Pending>> Begin(std::string name, int64_t count, int64_t piece, MpiPending::StartPiece start) {
    auto pending =
        std::make_unique<MpiPending>(std::move(name), board_, timeout_s_, count, piece, std::move(start), failed_);
    SRLM_RETURN_IF_ERROR(pending->Begin());
    return std::unique_ptr<Pending>(std::move(pending));
  }

  MPI_Comm comm_;
  int rank_ = 0;
  int size_ = 1;
  HostRanks host_;
  double timeout_s_;
  RankBoard& board_;
  int64_t next_ = 0;
  std::shared_ptr<bool> failed_ = std::make_shared<bool>(false);
};

}  // namespace

Result<std::unique_ptr<Communicator>> MakeMpiCommunicator(const CommunicatorOptions& options, RankBoard& board) {
  // These calls wait for all ranks and have no deadline of their own.
  const Watchdog watchdog("making a communicator of all ranks", options.timeout_s, &board);
  MPI_Comm comm = MPI_COMM_NULL, host = MPI_COMM_NULL;
  if (const int error = MPI_Comm_dup(MPI_COMM_WORLD, &comm); error != MPI_SUCCESS) {
    return MpiFailure(error, "making a communicator");
  }
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  HostRanks counted;
  int error = MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  if (error == MPI_SUCCESS) error = CountHostRanks(host, counted);
  if (error == MPI_SUCCESS) error = MPI_Comm_free(&host);
  if (error != MPI_SUCCESS) return MpiFailure(error, "finding the ranks of this host");
  return std::unique_ptr<Communicator>(std::make_unique<MpiCommunicator>(comm, counted, options.timeout_s, board));
}

}  // namespace srlm::parallel
