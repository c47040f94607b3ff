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
constexpr int64_t kTags = 32768;                    // MPI promises at least so many

MPI_Datatype TypeOf(const Buffer& buffer) {
  SRLM_CHECK(buffer.memory == Memory::kHost, "MPI moves the host's memory only");
  switch (buffer.type) {
    case DataType::kFloat32: return MPI_FLOAT;
    case DataType::kFloat64: return MPI_DOUBLE;
    case DataType::kInt64: return MPI_INT64_T;
    case DataType::kByte: return MPI_BYTE;
    case DataType::kBFloat16: break;
  }
  SRLM_CHECK(false, "MPI has no such type");
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

/// How an operation is done: in pieces, one after the other.
struct PieceWork {
  /// Starts piece [begin, begin + count) of the elements: adds its requests; returns MPI's error code.
  std::function<int(int64_t begin, int64_t count, std::vector<MPI_Request>& requests)> start = nullptr;
  /// Called when a piece's requests are done; may be null.
  std::function<void(int64_t begin, int64_t count)> end = nullptr;
  int64_t count = 0;  // elements
  int64_t piece = 1;  // at most
};

/// Pieces of one operation.
class MpiPending : public Pending {
 public:
  /// `failed` becomes this operation's failure, for all that come later.
  MpiPending(std::string name, RankBoard& board, double timeout_s, PieceWork work, std::shared_ptr<Status> failed)
      : name_(std::move(name)),
        board_(board),
        number_(board.BeginOperation(name_)),
        timeout_s_(timeout_s),
        work_(std::move(work)),
        failed_(std::move(failed)) {}
  ~MpiPending() override {
    // Another failure ends this rank: MPI has no way to take a collective back.
    if (!done_ && failed_->ok()) *failed_ = Unavailable(FullName() + ": given up, with all that comes after it");
  }

  /// Begins the first piece.
  Status Begin() { return Keep(StartNext()); }

  Result<bool> Poll() override {
    if (!status_.ok()) return status_;
    while (!done_) {
      int flag = 0;
      const int error = MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &flag, MPI_STATUSES_IGNORE);
      if (error != MPI_SUCCESS) return Keep(MpiFailure(error, FullName()));
      if (flag == 0) return false;
      if (work_.end) work_.end(piece_begin_, at_ - piece_begin_);
      if (at_ >= work_.count) {
        done_ = true;
      } else {
        SRLM_RETURN_IF_ERROR(Keep(StartNext()));
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
        return Keep(DeadlineExceeded(Late(clock)));
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

  Status Keep(Status status) {
    if (!status.ok() && failed_->ok()) *failed_ = status;
    return status_ = std::move(status);
  }

  std::string Late(const WaitClock& clock) const {
    std::string text =
        fmt::format("{} did not end within {} s ({} of {} elements begun): ", FullName(), timeout_s_, at_, work_.count);
    if (clock.stood_still_s() > 0) {
      text += fmt::format("this rank itself stood still for {:.1f} s, so it may be the one that the others miss; ",
                          clock.stood_still_s());
    }
    return text + board_.WhoIsBehind(number_);
  }

  std::string FullName() const { return name_ + " " + OnRank(board_.rank(), board_.size()); }

  Status StartNext() {
    const int64_t count = std::min(work_.piece, work_.count - at_);
    requests_.clear();
    const int error = work_.start(at_, count, requests_);
    if (error != MPI_SUCCESS) return MpiFailure(error, FullName());
    piece_begin_ = at_;
    at_ += count;
    return OkStatus();
  }

  std::string name_;
  RankBoard& board_;
  int64_t number_;
  double timeout_s_;
  PieceWork work_;
  std::vector<MPI_Request> requests_;  // of the piece under way
  int64_t piece_begin_ = 0;
  int64_t at_ = 0;  // elements begun
  bool done_ = false;
  Status status_;
  std::shared_ptr<Status> failed_;
};

/// What Communicator::ranks_on_host and ranks_on_cores count.
struct HostRanks {
  int ranks = 1;
  int rank = 0;  // this one
  int sharing_cores = 1;
};

/// Counts the ranks of `host`, which are those of one host, and compares the cores that they may run on.
int CountHostRanks(MPI_Comm host, HostRanks& counted) {
  MPI_Comm_size(host, &counted.ranks);
  MPI_Comm_rank(host, &counted.rank);
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
    if (!failed_->ok()) return;  // all ranks free it together: impossible after a failure
    const Watchdog watchdog("MPI_Comm_free", timeout_s_, &board_);
    MPI_Comm_free(&comm_);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int ranks_on_host() const override { return host_.ranks; }
  int rank_on_host() const override { return host_.rank; }
  int ranks_on_cores() const override { return host_.sharing_cores; }

  Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) override {
    SRLM_CHECK(buffer.type != DataType::kByte, "bytes cannot be summed");
    return Start("all-reduce", name, buffer, [this, buffer](int64_t begin, int64_t count, MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, buffer.Part(begin, count).data, static_cast<int>(count), TypeOf(buffer),
                            MPI_SUM, comm_, request);
    });
  }

  Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) override {
    return Start("broadcast", name, buffer, [this, buffer, root](int64_t begin, int64_t count, MPI_Request* request) {
      return MPI_Ibcast(buffer.Part(begin, count).data, static_cast<int>(count), TypeOf(buffer), root, comm_, request);
    });
  }

  Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) override {
    SRLM_CHECK(receive.bytes() == send.bytes() * static_cast<size_t>(size_), "an all-gather of another size");
    const std::string full_name = OperationName("all-gather", next_++, name);
    if (send.count > INT32_MAX / size_) return InvalidArgument(full_name + ": more elements than MPI counts");
    const void* from = send.data == receive.Part(rank_ * send.count, send.count).data ? MPI_IN_PLACE : send.data;
    // One piece: pieces of a gather would not stand one after the other.
    return Begin(
        full_name,
        {.start = One([this, from, receive, type = TypeOf(send)](int64_t, int64_t count, MPI_Request* request) {
           const int each = static_cast<int>(count);
           return MPI_Iallgather(from, each, type, receive.data, each, type, comm_, request);
         }),
         .count = send.count,
         .piece = std::max<int64_t>(send.count, 1)});
  }

  Result<std::unique_ptr<Pending>> StartGather(Buffer send, Buffer receive, int root, std::string_view name) override {
    const std::string full_name = OperationName("gather", next_++, name);
    if (send.count > INT32_MAX / size_) return InvalidArgument(full_name + ": more elements than MPI counts");
    SRLM_CHECK(rank_ != root || receive.bytes() == send.bytes() * static_cast<size_t>(size_),
               "a gather of another size");
    return Begin(full_name, {.start = One([=, this](int64_t, int64_t count, MPI_Request* request) {
                               const int each = static_cast<int>(count);
                               const MPI_Datatype type = TypeOf(send);
                               return MPI_Igather(send.data, each, type, receive.data, each, type, root, comm_,
                                                  request);
                             }),
                             .count = send.count,
                             .piece = std::max<int64_t>(send.count, 1)});
  }

  // Every rank sends each other one its block: as many bytes as a ring takes, in one hop, and all sums in one order.
  // MPI's own takes another order for another length, and in libnbc sends everything to rank 0.
  Result<std::unique_ptr<Pending>> StartReduceScatterSum(Buffer send, Buffer receive, std::string_view name) override {
    CheckReduceScatter(send, receive, size_);
    const int tag = static_cast<int>(next_ % kTags);
    const std::string full_name = OperationName("reduce-scatter", next_++, name);
    const auto bytes = static_cast<int64_t>(ElementBytes(send.type));
    const int64_t piece = std::max<int64_t>(kPieceBytes / bytes / size_, 1);
    auto memory = std::make_shared<std::vector<std::byte>>(
        static_cast<size_t>(std::min(piece, receive.count) * bytes * size_));  // of a piece of every rank's block
    const auto place = [memory, bytes](int rank, int64_t count) { return memory->data() + rank * count * bytes; };
    PieceWork work = {.count = receive.count, .piece = piece};
    work.start = [=, this](int64_t begin, int64_t count, std::vector<MPI_Request>& requests) {
      int error = MPI_SUCCESS;
      for (int hop = 1; hop < size_ && error == MPI_SUCCESS; ++hop) {
        const int from = (rank_ + size_ - hop) % size_;
        error = MPI_Irecv(place(from, count), static_cast<int>(count), TypeOf(send), from, tag, comm_,
                          &requests.emplace_back());
      }
      for (int hop = 1; hop < size_ && error == MPI_SUCCESS; ++hop) {
        const int to = (rank_ + hop) % size_;
        error = MPI_Isend(send.Part(to * receive.count + begin, count).data, static_cast<int>(count), TypeOf(send), to,
                          tag, comm_, &requests.emplace_back());
      }
      return error;
    };
    work.end = [=, this](int64_t begin, int64_t count) {
      std::vector<const void*> blocks;
      for (int rank = 0; rank < size_; ++rank) blocks.push_back(place(rank, count));
      blocks[static_cast<size_t>(rank_)] = send.Part(rank_ * receive.count + begin, count).data;
      SumInOrder(send.type, blocks, count, receive.Part(begin, count).data);
    };
    return Begin(full_name, std::move(work));
  }

  Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) override {
    return Start("barrier", name, {},
                 [this](int64_t, int64_t, MPI_Request* request) { return MPI_Ibarrier(comm_, request); });
  }

  void SetPhase(std::string_view phase) override { board_.SetPhase(phase); }
  void TellNotice(std::function<bool()> came) override { board_.TellNotice(std::move(came)); }
  bool AnotherWasNoticed() const override { return board_.AnotherWasNoticed(); }

  void BeginAlone(std::string_view what) override { board_.BeginAlone(what); }
  void EndAlone() override { board_.Compute(); }

 private:
  /// A piece that is one MPI operation.
  using StartOne = std::function<int(int64_t begin, int64_t count, MPI_Request* request)>;
  static decltype(PieceWork::start) One(StartOne start) {
    return [start = std::move(start)](int64_t begin, int64_t count, std::vector<MPI_Request>& requests) {
      return start(begin, count, &requests.emplace_back());
    };
  }

  Result<std::unique_ptr<Pending>> Start(std::string_view operation, std::string_view name, Buffer buffer,
                                         StartOne start) {
    const int64_t piece = kPieceBytes / static_cast<int64_t>(ElementBytes(buffer.type));
    return Begin(OperationName(operation, next_++, name),
                 {.start = One(std::move(start)), .count = buffer.count, .piece = piece});
  }

  Result<std::unique_ptr<Pending>> Begin(std::string name, PieceWork work) {
    if (!failed_->ok()) return *failed_;  // at once: nobody is to wait for another deadline
    auto pending = std::make_unique<MpiPending>(std::move(name), board_, timeout_s_, std::move(work), failed_);
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
  std::shared_ptr<Status> failed_ = std::make_shared<Status>();
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
