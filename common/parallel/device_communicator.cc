#include "common/parallel/device_communicator.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/parallel/wait_clock.h"

namespace srlm::parallel {
namespace {

using device::EntryPoints;
using device::kInProgress;
using device::kNotReady;
using device::kSuccess;

constexpr std::chrono::milliseconds kBetweenLooks(5), kBetweenIdleLooks(100);  // of the thread that watches
constexpr std::chrono::microseconds kBetweenAsks(200);  // of a caller that waits for NCCL's host part

device::Element ElementOf(DataType type) {
  switch (type) {
    case DataType::kFloat32: return device::Element::kFloat32;
    case DataType::kFloat64: return device::Element::kFloat64;
    case DataType::kInt64: return device::Element::kInt64;
    case DataType::kByte: return device::Element::kByte;
    case DataType::kBFloat16: return device::Element::kBFloat16;
  }
  SRLM_CHECK(false, "an unknown data type");
}

/// A place in a stream, which goes with the object.
class EventHolder {
 public:
  explicit EventHolder(const EntryPoints& entry) : entry_(&entry) { error_ = entry.event_create(&event_); }
  ~EventHolder() {
    if (event_ != nullptr) entry_->event_destroy(event_);
  }
  EventHolder(EventHolder&& other) noexcept
      : entry_(other.entry_), event_(std::exchange(other.event_, nullptr)), error_(other.error_) {}
  EventHolder& operator=(EventHolder&&) = delete;
  device::Event get() const { return event_; }
  int error() const { return error_; }

 private:
  const EntryPoints* entry_;
  device::Event event_ = nullptr;
  int error_;
};

/// NCCL's ranks, the stream of their operations, and the thread that watches over these.
class DeviceGroup {
 public:
  DeviceGroup(const device::Device& device, int rank, int size, double timeout_s, RankBoard& board)
      : device_(device), entry_(*device.entry), rank_(rank), size_(size), timeout_s_(timeout_s), board_(board) {}

  ~DeviceGroup() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    if (watcher_.joinable()) watcher_.join();
    End();
    if (stream_ != nullptr) entry_.stream_destroy(stream_);
  }

  /// Joins the ranks that have `id`.
  Status Create(const device::UniqueId& id) {
    if (const int error = entry_.stream_create(&stream_); error != kSuccess) {
      return device::DeviceFailure(entry_, "making a stream", error);
    }
    if (const int error = entry_.create(&collective_, size_, &id, rank_); error != kSuccess && error != kInProgress) {
      return Failure("joining the ranks", error);
    }
    const std::string name = "NCCL's joining of the ranks";
    const int64_t number = board_.BeginOperation(name);
    board_.BeginWait(name);
    const Status joined = Settle(name + " " + OnRank(rank_, size_), number);
    board_.Compute();
    if (!joined.ok()) return Fail(joined);
    watcher_ = std::thread([this] { Watch(); });
    return OkStatus();
  }

  /// One operation: `call` hands it to NCCL, for the stream. The number by which Done and Order ask for it.
  Result<int64_t> Start(const std::string& name, const std::function<int(device::Collective, device::Stream)>& call) {
    SRLM_RETURN_IF_ERROR(Failed());
    Operation operation{.name = name + " " + OnRank(rank_, size_),
                        .number = board_.BeginOperation(name),
                        .ready = EventHolder(entry_),
                        .done = EventHolder(entry_)};
    for (const EventHolder* event : {&operation.ready, &operation.done}) {
      if (event->error() != kSuccess) return Fail(device::DeviceFailure(entry_, "making an event", event->error()));
    }
    {
      const std::lock_guard lock(mutex_);
      newest_ = operation.name;
    }
    int error = entry_.event_record(operation.ready.get(), entry_.stream_of_aten());
    if (error == kSuccess) error = entry_.stream_wait(stream_, operation.ready.get());
    if (error != kSuccess) return Fail(device::DeviceFailure(entry_, operation.name, error));
    if (error = call(collective_, stream_); error != kSuccess && error != kInProgress) {
      return Fail(Failure(operation.name, error));
    }
    // Until NCCL has put it into the stream, an event would stand before it.
    if (error == kInProgress) SRLM_RETURN_IF_ERROR(Fail(Settle(operation.name, operation.number)));
    if (error = entry_.event_record(operation.done.get(), stream_); error != kSuccess) {
      return Fail(device::DeviceFailure(entry_, operation.name, error));
    }
    const std::lock_guard lock(mutex_);
    under_way_.push_back(std::make_shared<Operation>(std::move(operation)));
    changed_.notify_all();
    return begun_++;
  }

  Result<bool> Done(int64_t operation) {
    const std::lock_guard lock(mutex_);
    if (!failed_.ok()) return failed_;
    while (!under_way_.empty() && entry_.event_query(under_way_.front()->done.get()) == kSuccess) PopFirst();
    return operation < ended_;
  }

  /// ATen's later work comes after the operation.
  Status Order(int64_t operation) {
    std::shared_ptr<Operation> waited;
    {
      const std::lock_guard lock(mutex_);
      if (!failed_.ok()) return failed_;
      if (operation < ended_) return OkStatus();
      waited = under_way_[static_cast<size_t>(operation - ended_)];
    }
    if (const int error = entry_.stream_wait(entry_.stream_of_aten(), waited->done.get()); error != kSuccess) {
      return Fail(device::DeviceFailure(entry_, waited->name, error));
    }
    return Failed();
  }

  Status Failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  /// Keeps a failure, the first one, and ends what is under way on the device.
  Status Fail(Status status) {
    if (status.ok()) return status;
    const std::lock_guard lock(mutex_);
    if (!failed_.ok()) return failed_;
    failed_ = std::move(status);
    Abort();
    return failed_;
  }

  device::Collective collective() const { return collective_; }

 private:
  struct Operation {
    std::string name;
    int64_t number = 0;
    EventHolder ready;  // what came before it is done: it may begin
    EventHolder done;
  };

  Status Failure(const std::string& what, int error) const {
    const char* const last = collective_ == nullptr ? "" : entry_.last_error(collective_);
    const std::string more = last == nullptr || *last == '\0' ? "" : fmt::format(": {}", last);
    return Unavailable(fmt::format("{}: NCCL: {} ({}){}", what, entry_.collective_error(error), error, more));
  }

  /// Waits for what NCCL does on the host.
  Status Settle(const std::string& name, int64_t number) {
    WaitClock clock(&board_, timeout_s_);
    while (true) {
      int state = kSuccess;
      if (const int error = entry_.state(collective_, &state); error != kSuccess) return Failure(name, error);
      if (state == kSuccess) return OkStatus();
      if (state != kInProgress) return Failure(name, state);
      if (clock.Expired()) return DeadlineExceeded(Late(name, number));
      std::this_thread::sleep_for(kBetweenAsks);
    }
  }

  std::string Late(const std::string& name, int64_t number) const {
    return fmt::format("{} did not end within {} s: {}", name, timeout_s_, board_.WhoIsBehind(number));
  }

  void Watch() {
    entry_.use(device_.number);
    std::optional<WaitClock> clock;  // of the first operation under way
    int64_t of = -1;
    std::unique_lock lock(mutex_);
    while (!ending_) {
      if (failed_.ok()) Look(clock, of);
      if (under_way_.empty() || !failed_.ok()) {
        changed_.wait_for(lock, kBetweenIdleLooks);
      } else {
        changed_.wait_for(lock, kBetweenLooks, [this] { return ending_; });
      }
    }
  }

  /// With mutex_ held.
  void Look(std::optional<WaitClock>& clock, int64_t& of) {
    int state = kSuccess;
    const int error = entry_.state(collective_, &state);
    const std::string first = under_way_.empty() ? "at " + newest_ : under_way_.front()->name;
    if (error != kSuccess || (state != kSuccess && state != kInProgress)) {
      failed_ = Failure(first, error != kSuccess ? error : state);
    } else {
      failed_ = LookAtFirst(clock, of);
    }
    if (failed_.ok()) return;
    LogWarning("device_collective_failed", {{"error", failed_.message()}});
    Abort();
  }

  Status LookAtFirst(std::optional<WaitClock>& clock, int64_t& of) {
    int done = kNotReady;
    while (!under_way_.empty() && (done = entry_.event_query(under_way_.front()->done.get())) == kSuccess) PopFirst();
    if (under_way_.empty()) return OkStatus();
    const Operation& first = *under_way_.front();
    if (done != kNotReady) return device::DeviceFailure(entry_, first.name, done);
    if (entry_.event_query(first.ready.get()) != kSuccess) return OkStatus();  // the device is not there yet
    if (of != ended_) clock.emplace(&board_, timeout_s_);
    of = ended_;
    return clock->Expired() ? DeadlineExceeded(Late(first.name, first.number)) : OkStatus();
  }

  void PopFirst() {
    under_way_.pop_front();
    ++ended_;
  }

  /// With mutex_ held.
  void Abort() {
    if (collective_ == nullptr || aborted_) return;
    aborted_ = true;
    entry_.abort(collective_);
  }

  /// All ranks end together, unless the group has failed.
  void End() {
    if (collective_ == nullptr || aborted_) return;
    const int64_t number = board_.BeginOperation("NCCL's end");
    const int error = entry_.finalize(collective_);
    const Status ended =
        error == kSuccess || error == kInProgress ? Settle("NCCL's end", number) : Failure("NCCL's end", error);
    if (ended.ok()) {
      entry_.destroy(collective_);
      return;
    }
    LogWarning("device_group_end", {{"error", ended.message()}});
    Abort();
  }

  const device::Device device_;
  const EntryPoints& entry_;
  const int rank_;
  const int size_;
  const double timeout_s_;
  RankBoard& board_;
  device::Collective collective_ = nullptr;
  device::Stream stream_ = nullptr;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Operation>> under_way_;
  int64_t begun_ = 0, ended_ = 0;
  std::string newest_ = "joining";  // operation: begun, or handed to NCCL now
  Status failed_;
  bool aborted_ = false;
  bool ending_ = false;
  std::thread watcher_;
};

class DevicePending : public Pending {
 public:
  DevicePending(std::shared_ptr<DeviceGroup> group, int64_t operation)
      : group_(std::move(group)), operation_(operation) {}
  ~DevicePending() override {
    if (!waited_) (void)group_->Fail(Unavailable("an operation of the device was given up, with all after it"));
  }
  Result<bool> Poll() override { return group_->Done(operation_); }
  Status Wait() override {
    waited_ = true;
    return group_->Order(operation_);
  }

 private:
  std::shared_ptr<DeviceGroup> group_;
  int64_t operation_;
  bool waited_ = false;
};

class DeviceCommunicator : public Communicator {
 public:
  DeviceCommunicator(const device::Device& device, std::unique_ptr<Communicator> host,
                     std::shared_ptr<DeviceGroup> group)
      : entry_(*device.entry), host_(std::move(host)), group_(std::move(group)) {}

  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  int ranks_on_host() const override { return host_->ranks_on_host(); }
  int rank_on_host() const override { return host_->rank_on_host(); }
  int ranks_on_cores() const override { return host_->ranks_on_cores(); }

  Result<std::unique_ptr<Pending>> StartAllReduceSum(Buffer buffer, std::string_view name) override {
    if (buffer.memory == Memory::kHost) return host_->StartAllReduceSum(buffer, name);
    SRLM_CHECK(buffer.type != DataType::kByte, "bytes cannot be summed");
    return Start("all-reduce", name, [&](device::Collective collective, device::Stream stream) {
      return entry_.all_reduce(buffer.data, buffer.data, CountOf(buffer), ElementOf(buffer.type), collective, stream);
    });
  }

  Result<std::unique_ptr<Pending>> StartBroadcast(Buffer buffer, int root, std::string_view name) override {
    if (buffer.memory == Memory::kHost) return host_->StartBroadcast(buffer, root, name);
    return Start("broadcast", name, [&](device::Collective collective, device::Stream stream) {
      return entry_.broadcast(buffer.data, buffer.data, CountOf(buffer), ElementOf(buffer.type), root, collective,
                              stream);
    });
  }

  Result<std::unique_ptr<Pending>> StartAllGather(Buffer send, Buffer receive, std::string_view name) override {
    if (send.memory == Memory::kHost) return host_->StartAllGather(send, receive, name);
    SRLM_CHECK(receive.bytes() == send.bytes() * static_cast<size_t>(size()), "an all-gather of another size");
    return Start("all-gather", name, [&](device::Collective collective, device::Stream stream) {
      return entry_.all_gather(send.data, receive.data, CountOf(send), ElementOf(send.type), collective, stream);
    });
  }

  Result<std::unique_ptr<Pending>> StartReduceScatterSum(Buffer send, Buffer receive, std::string_view name) override {
    if (send.memory == Memory::kHost) return host_->StartReduceScatterSum(send, receive, name);
    parallel::CheckReduceScatter(send, receive, size());
    return Start("reduce-scatter", name, [&](device::Collective collective, device::Stream stream) {
      return entry_.reduce_scatter(send.data, receive.data, CountOf(receive), ElementOf(send.type), collective, stream);
    });
  }

  // NCCL has no gather: a group of sends and receives is one, and its messages pass at once.
  Result<std::unique_ptr<Pending>> StartGather(Buffer send, Buffer receive, int root, std::string_view name) override {
    if (send.memory == Memory::kHost) return host_->StartGather(send, receive, root, name);
    return Start("gather", name, [&](device::Collective collective, device::Stream stream) {
      const device::Element type = ElementOf(send.type);
      int error = entry_.group_start();
      for (int from = 0; rank() == root && from < size() && error == kSuccess; ++from) {
        error = entry_.receive(receive.Part(from * send.count, send.count).data, CountOf(send), type, from, collective,
                               stream);
      }
      if (error == kSuccess) error = entry_.send(send.data, CountOf(send), type, root, collective, stream);
      const int ended = entry_.group_end();
      return error == kSuccess || error == kInProgress ? ended : error;
    });
  }

  Result<std::unique_ptr<Pending>> StartBarrier(std::string_view name) override { return host_->StartBarrier(name); }

  Status Check() override { return group_->Failed(); }
  void SetPhase(std::string_view phase) override { host_->SetPhase(phase); }
  void TellNotice(std::function<bool()> came) override { host_->TellNotice(std::move(came)); }
  bool AnotherWasNoticed() const override { return host_->AnotherWasNoticed(); }

  void BeginAlone(std::string_view what) override { host_->BeginAlone(what); }
  void EndAlone() override { host_->EndAlone(); }

 private:
  static size_t CountOf(const Buffer& buffer) { return static_cast<size_t>(buffer.count); }

  Result<std::unique_ptr<Pending>> Start(std::string_view operation, std::string_view name,
                                         const std::function<int(device::Collective, device::Stream)>& call) {
    SRLM_ASSIGN_OR_RETURN(const int64_t started, group_->Start(OperationName(operation, next_++, name), call));
    return std::unique_ptr<Pending>(std::make_unique<DevicePending>(group_, started));
  }

  const EntryPoints& entry_;
  std::unique_ptr<Communicator> host_;
  std::shared_ptr<DeviceGroup> group_;  // ends before the host's, by which its ranks part
  int64_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Communicator>> MakeDeviceCommunicator(const device::Device& device,
                                                             std::unique_ptr<Communicator> host,
                                                             const CommunicatorOptions& options, RankBoard& board) {
  // NCCL is told nothing but rank 0's id: whether rank 0 has one goes along.
  struct Handed {
    device::UniqueId id{};
    int32_t error = 0;
  } handed;
  if (host->rank() == 0) handed.error = device.entry->unique_id(&handed.id);
  const std::span<char> bytes(reinterpret_cast<char*>(&handed), sizeof handed);
  SRLM_RETURN_IF_ERROR(host->Broadcast(BufferOf(bytes), 0, "NCCL's id"));
  if (handed.error != kSuccess) {
    return Unavailable(
        fmt::format("rank 0 has no id for NCCL: {} ({})", device.entry->collective_error(handed.error), handed.error));
  }
  auto group = std::make_shared<DeviceGroup>(device, host->rank(), host->size(), options.timeout_s, board);
  SRLM_RETURN_IF_ERROR(group->Create(handed.id));
  return std::unique_ptr<Communicator>(std::make_unique<DeviceCommunicator>(device, std::move(host), std::move(group)));
}

}  // namespace srlm::parallel
