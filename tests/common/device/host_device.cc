// A plug-in whose devices are this host's memory and whose NCCL are sockets between processes: the same entry points,
// with streams that run behind the caller, so that what uses them is tested without a GPU. It is strict where NCCL
// hangs: ranks that call different collectives hear of it.
//
// SRLM_HOST_DEVICES=n shows n devices (8). SRLM_HOST_DEVICE_NAME=name: these are others than those of another name, as
// tests that run beside one another want it. SRLM_HOST_DEVICE_ERROR=n: `count` fails with n, as without a driver.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/device/entry_points.h"

namespace srlm::device {

// Filled by the stream that an event was recorded in.
struct Flag {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;

  void Set() {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return done; });
  }
  bool IsDone() {
    const std::lock_guard lock(mutex);
    return done;
  }
};

struct EventHandle {
  std::mutex mutex;
  std::shared_ptr<Flag> flag;  // of the last recording; null: none

  std::shared_ptr<Flag> Get() {
    const std::lock_guard lock(mutex);
    return flag;
  }
};

/// Jobs in order, on a thread of its own. ATen's stream is the calling thread itself: it has no jobs.
struct StreamHandle {
  explicit StreamHandle(bool is_caller) : caller(is_caller) {
    if (!caller) thread = std::thread([this] { Run(); });
  }
  ~StreamHandle() {
    if (caller) return;
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    changed.notify_all();
    thread.join();
  }
  void Add(std::function<void()> job) {
    if (caller) return job();
    {
      const std::lock_guard lock(mutex);
      jobs.push_back(std::move(job));
    }
    changed.notify_all();
  }
  void Run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return ending || !jobs.empty(); });
      if (jobs.empty()) return;
      const std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  const bool caller;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  bool ending = false;
  std::thread thread;
};

namespace {

// NCCL's numbers (ncclResult_t).
constexpr int kSystemError = 2, kInternalError = 3, kInvalidArgument = 4, kInvalidUsage = 5, kRemoteError = 6;
constexpr int kAsksUntilSettled = 2;  // so often an operation says that it is in progress, as NCCL may

size_t BytesOf(Element type) {
  switch (type) {
    case Element::kByte: return 1;
    case Element::kBFloat16: return 2;
    case Element::kFloat32: return 4;
    case Element::kInt64:
    case Element::kFloat64: return 8;
  }
  return 0;
}

float FromBFloat16(uint16_t bits) {
  const uint32_t wide = uint32_t{bits} << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}
uint16_t ToBFloat16(float value) {  // to the nearest, ties to even
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class T>
void AddAll(const std::vector<const void*>& blocks, size_t count, void* out) {
  for (size_t i = 0; i < count; ++i) {
    T sum{};
    for (const void* block : blocks) sum += static_cast<const T*>(block)[i];
    static_cast<T*>(out)[i] = sum;
  }
}

void Sum(Element type, const std::vector<const void*>& blocks, size_t count, void* out) {
  switch (type) {
    case Element::kFloat32: return AddAll<float>(blocks, count, out);
    case Element::kFloat64: return AddAll<double>(blocks, count, out);
    case Element::kInt64: return AddAll<int64_t>(blocks, count, out);
    case Element::kByte: return AddAll<uint8_t>(blocks, count, out);
    case Element::kBFloat16: break;
  }
  for (size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (const void* block : blocks) sum += FromBFloat16(static_cast<const uint16_t*>(block)[i]);
    static_cast<uint16_t*>(out)[i] = ToBFloat16(sum);
  }
}

struct Header {
  char operation[16] = {};
  int64_t type = 0;
  int64_t bytes = 0;
};

/// Bytes from this rank to another, or back.
struct Transfer {
  int peer = 0;
  bool outgoing = false;
  Header header{};
  const void* from = nullptr;
  void* to = nullptr;
};

/// What a collective is: messages, and what is made of them.
struct Work {
  std::vector<Transfer> transfers;
  std::vector<std::shared_ptr<std::vector<std::byte>>> memory;  // that messages arrive in
  std::function<void()> finish = [] {};
};

}  // namespace

struct GroupOfRanks {
  GroupOfRanks(int size, const UniqueId& unique_id, int own_rank)
      : ranks(size),
        rank(own_rank),
        id(unique_id),
        sockets(static_cast<size_t>(size), -1),
        wake(eventfd(0, EFD_NONBLOCK)) {
    joining = std::thread([this] { Join(); });
  }
  ~GroupOfRanks() {
    if (joining.joinable()) joining.join();
    for (const int socket : sockets) {
      if (socket >= 0) close(socket);
    }
    close(wake);
  }

  void Fail(int error, const std::string& text) {
    const std::lock_guard lock(mutex);
    if (failure != kSuccess) return;
    failure = error;
    last_error = text;
  }
  /// The others find this rank gone.
  void Abort() {
    aborted = true;
    const uint64_t one = 1;
    (void)!write(wake, &one, sizeof one);
    if (joining.joinable()) joining.join();
    for (const int socket : sockets) {
      if (socket >= 0) shutdown(socket, SHUT_RDWR);
    }
  }
  bool Failed() {
    const std::lock_guard lock(mutex);
    return failure != kSuccess;
  }
  int State() {
    const std::lock_guard lock(mutex);
    if (failure != kSuccess) return failure;
    if (!joined || (finalizing && under_way > 0)) return kInProgress;
    return unsettled > 0 && unsettled-- > 0 ? kInProgress : kSuccess;
  }

  // Joining: a rank listens under the id and its number, and calls every lower one.
  void Join();
  bool Wait(int socket, short events) const;
  int Call(int peer) const;
  bool Talk(int socket, void* data, size_t bytes, bool out) const;

  void Run(const Work& work);
  bool Exchange(const std::vector<Transfer>& transfers);

  const int ranks, rank;
  const UniqueId id;
  std::vector<int> sockets;  // by rank
  const int wake;            // readable once aborted
  std::atomic<bool> aborted = false;

  std::mutex mutex;
  int failure = kSuccess;
  std::string last_error;
  bool joined = false, finalizing = false;
  int under_way = 0, unsettled = 0;
  std::thread joining;
};

namespace {

sockaddr_un AddressOf(const UniqueId& id, int rank, socklen_t& length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;  // abstract: its first byte is 0, and no file is left
  const int text = std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s-%d", id.bytes, rank);
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(text));
  return address;
}

}  // namespace

/// False once aborted.
bool GroupOfRanks::Wait(int socket, short events) const {
  pollfd looked[2] = {{socket, events, 0}, {wake, POLLIN, 0}};
  while (poll(looked, 2, -1) < 0) {
  }
  return !aborted;
}

int GroupOfRanks::Call(int peer) const {
  socklen_t length = 0;
  const sockaddr_un address = AddressOf(id, peer, length);
  while (!aborted) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0) return socket;
    close(socket);
    pollfd looked = {wake, POLLIN, 0};
    poll(&looked, 1, 2);  // it does not listen yet
  }
  return -1;
}

bool GroupOfRanks::Talk(int socket, void* data, size_t bytes, bool out) const {
  auto* at = static_cast<std::byte*>(data);
  while (bytes > 0) {
    if (!Wait(socket, out ? POLLOUT : POLLIN)) return false;
    const ssize_t moved = out ? send(socket, at, bytes, MSG_NOSIGNAL) : recv(socket, at, bytes, 0);
    if (moved == 0 || (moved < 0 && errno != EAGAIN)) return false;
    if (moved < 0) continue;
    at += moved;
    bytes -= static_cast<size_t>(moved);
  }
  return true;
}

void GroupOfRanks::Join() {
  socklen_t length = 0;
  const sockaddr_un address = AddressOf(id, rank, length);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), length) != 0 || listen(listener, ranks) != 0) {
    Fail(kSystemError, "the rank is there twice");
  }
  for (int peer = 0; peer < rank && !aborted; ++peer) {
    const int socket = Call(peer);
    int own = rank;
    if (socket < 0 || !Talk(socket, &own, sizeof own, true)) break;
    sockets[static_cast<size_t>(peer)] = socket;
  }
  for (int more = rank + 1; more < ranks && !aborted; ++more) {
    int peer = -1;
    if (!Wait(listener, POLLIN)) break;
    const int socket = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (socket < 0 || !Talk(socket, &peer, sizeof peer, false) || peer <= rank || peer >= ranks) {
      Fail(kSystemError, "a rank that nobody knows");
      break;
    }
    sockets[static_cast<size_t>(peer)] = socket;
  }
  close(listener);
  const std::lock_guard lock(mutex);
  joined = !aborted && failure == kSuccess;
}

/// All messages at once, each peer's in their order; those to itself are copied.
bool GroupOfRanks::Exchange(const std::vector<Transfer>& transfers) {
  struct Stretch {
    std::byte* data;
    size_t bytes;
    const Transfer* header_of;  // of a message that comes: its header is looked at
  };
  std::vector<std::deque<Stretch>> out(static_cast<size_t>(ranks)), in(static_cast<size_t>(ranks));
  std::vector<const Transfer*> own_out, own_in;
  std::deque<Header> came;
  for (const Transfer& each : transfers) {
    if (each.peer == rank) {
      (each.outgoing ? own_out : own_in).push_back(&each);
      continue;
    }
    auto& list = (each.outgoing ? out : in)[static_cast<size_t>(each.peer)];
    auto* header = each.outgoing ? const_cast<Header*>(&each.header) : &came.emplace_back();
    list.push_back({reinterpret_cast<std::byte*>(header), sizeof(Header), each.outgoing ? nullptr : &each});
    auto* data = each.outgoing ? const_cast<void*>(each.from) : each.to;
    if (each.header.bytes > 0)
      list.push_back({static_cast<std::byte*>(data), static_cast<size_t>(each.header.bytes), nullptr});
  }
  if (own_out.size() != own_in.size()) return Fail(kInvalidUsage, "a message to itself that it does not take"), false;
  for (size_t i = 0; i < own_out.size(); ++i) {
    std::memcpy(own_in[i]->to, own_out[i]->from, static_cast<size_t>(own_out[i]->header.bytes));
  }
  while (true) {
    std::vector<pollfd> looked = {{wake, POLLIN, 0}};
    std::vector<size_t> peers;
    for (size_t peer = 0; peer < sockets.size(); ++peer) {
      const short events = static_cast<short>((out[peer].empty() ? 0 : POLLOUT) | (in[peer].empty() ? 0 : POLLIN));
      if (events == 0) continue;
      looked.push_back({sockets[peer], events, 0});
      peers.push_back(peer);
    }
    if (peers.empty()) return true;
    while (poll(looked.data(), looked.size(), -1) < 0) {
    }
    if (aborted) return Fail(kInternalError, "aborted"), false;
    for (size_t i = 0; i < peers.size(); ++i) {
      const size_t peer = peers[i];
      for (const bool outgoing : {true, false}) {
        auto& list = (outgoing ? out : in)[peer];
        if (list.empty()) continue;
        Stretch& first = list.front();
        const ssize_t moved = outgoing ? send(sockets[peer], first.data, first.bytes, MSG_NOSIGNAL)
                                       : recv(sockets[peer], first.data, first.bytes, 0);
        if (moved < 0 && errno == EAGAIN) continue;
        if (moved <= 0) return Fail(kRemoteError, "rank " + std::to_string(peer) + " is gone"), false;
        first.data += moved;
        first.bytes -= static_cast<size_t>(moved);
        if (first.bytes > 0) continue;
        if (first.header_of != nullptr) {
          const Header& wanted = first.header_of->header;
          Header header;
          std::memcpy(&header, first.data - sizeof header, sizeof header);
          if (std::memcmp(&header, &wanted, sizeof header) != 0) {
            return Fail(kInvalidUsage, std::string("rank ") + std::to_string(peer) + " is at " + header.operation +
                                           ", this one at " + wanted.operation),
                   false;
          }
        }
        list.pop_front();
      }
    }
  }
}

void GroupOfRanks::Run(const Work& work) {
  if (!aborted && !Failed() && Exchange(work.transfers)) work.finish();
  const std::lock_guard lock(mutex);
  --under_way;
}

namespace {

// Calls between group_start and group_end are one piece of work.
thread_local int group_depth = 0;
thread_local std::vector<std::pair<Collective, Stream>> grouped_for;
thread_local std::vector<Work> grouped;

int Enqueue(Collective collective, Stream stream, Work work) {
  {
    const std::lock_guard lock(collective->mutex);
    if (collective->failure != kSuccess) return collective->failure;
    ++collective->under_way;
    collective->unsettled = kAsksUntilSettled;
  }
  stream->Add([collective, work = std::move(work)] { collective->Run(work); });
  return kInProgress;
}

int Begin(Collective collective, Stream stream, Work work) {
  if (group_depth == 0) return Enqueue(collective, stream, std::move(work));
  grouped_for.emplace_back(collective, stream);
  grouped.push_back(std::move(work));
  return kSuccess;
}

Header HeaderOf(const char* operation, Element type, size_t count) {
  Header header;
  std::snprintf(header.operation, sizeof header.operation, "%s", operation);
  header.type = static_cast<int64_t>(type);
  header.bytes = static_cast<int64_t>(count * BytesOf(type));
  return header;
}

const std::byte* At(const void* data, size_t elements, Element type) {
  return static_cast<const std::byte*>(data) + elements * BytesOf(type);
}

/// Every rank's block of `count` elements comes to this rank, which sends others what `block_for` says.
Work Trade(Collective collective, const char* operation, Element type, size_t count,
           const std::function<const void*(int peer)>& block_for, std::vector<void*>& blocks) {
  Work work;
  const Header header = HeaderOf(operation, type, count);
  for (int peer = 0; peer < collective->ranks; ++peer) {
    auto& memory =
        work.memory.emplace_back(std::make_shared<std::vector<std::byte>>(static_cast<size_t>(header.bytes)));
    blocks.push_back(memory->data());
    work.transfers.push_back({peer, true, header, block_for(peer), nullptr});
    work.transfers.push_back({peer, false, header, nullptr, memory->data()});
  }
  return work;
}

int AllReduce(const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream) {
  std::vector<void*> blocks;
  Work work = Trade(collective, "all-reduce", type, count, [send](int) { return send; }, blocks);
  work.finish = [blocks, count, type, receive] { Sum(type, {blocks.begin(), blocks.end()}, count, receive); };
  return Begin(collective, stream, std::move(work));
}

int Broadcast(const void* send, void* receive, size_t count, Element type, int root, Collective collective,
              Stream stream) {
  if (root < 0 || root >= collective->ranks) return kInvalidArgument;
  Work work;
  const Header header = HeaderOf("broadcast", type, count);
  if (collective->rank != root) work.transfers.push_back({root, false, header, nullptr, receive});
  for (int peer = 0; collective->rank == root && peer < collective->ranks; ++peer) {
    if (peer != root) work.transfers.push_back({peer, true, header, send, nullptr});
  }
  work.finish = [=] {
    if (collective->rank == root && send != receive) std::memcpy(receive, send, static_cast<size_t>(header.bytes));
  };
  return Begin(collective, stream, std::move(work));
}

int AllGather(const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream) {
  std::vector<void*> blocks;
  Work work = Trade(collective, "all-gather", type, count, [send](int) { return send; }, blocks);
  work.finish = [blocks, receive, bytes = count * BytesOf(type)] {
    auto* to = static_cast<std::byte*>(receive);
    for (const void* block : blocks) to = std::copy_n(static_cast<const std::byte*>(block), bytes, to);
  };
  return Begin(collective, stream, std::move(work));
}

int ReduceScatter(const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream) {
  std::vector<void*> blocks;
  Work work = Trade(
      collective, "reduce-scatter", type, count,
      [=](int peer) { return static_cast<const void*>(At(send, static_cast<size_t>(peer) * count, type)); }, blocks);
  work.finish = [blocks, count, type, receive] { Sum(type, {blocks.begin(), blocks.end()}, count, receive); };
  return Begin(collective, stream, std::move(work));
}

int SendTo(const void* data, size_t count, Element type, int peer, Collective collective, Stream stream) {
  Work work;
  work.transfers.push_back({peer, true, HeaderOf("send", type, count), data, nullptr});
  return Begin(collective, stream, std::move(work));
}

int ReceiveFrom(void* data, size_t count, Element type, int peer, Collective collective, Stream stream) {
  Work work;
  work.transfers.push_back({peer, false, HeaderOf("send", type, count), nullptr, data});
  return Begin(collective, stream, std::move(work));
}

int GroupStart() {
  ++group_depth;
  return kSuccess;
}

int GroupEnd() {
  if (group_depth == 0) return kInvalidUsage;
  if (--group_depth > 0 || grouped.empty()) return kSuccess;
  const auto [collective, stream] = grouped_for.front();
  Work all;
  std::vector<std::function<void()>> finishes;
  for (Work& work : grouped) {
    all.transfers.insert(all.transfers.end(), work.transfers.begin(), work.transfers.end());
    all.memory.insert(all.memory.end(), work.memory.begin(), work.memory.end());
    finishes.push_back(std::move(work.finish));
  }
  all.finish = [finishes] {
    for (const auto& finish : finishes) finish();
  };
  const bool one = std::ranges::all_of(grouped_for, [&](const auto& each) { return each == grouped_for.front(); });
  grouped.clear();
  grouped_for.clear();
  return one ? Enqueue(collective, stream, std::move(all)) : kInvalidUsage;
}

int Number(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

int Describe(int device, Description* out) {
  *out = {};
  std::snprintf(out->name, sizeof out->name, "host memory");
  const char* const group = std::getenv("SRLM_HOST_DEVICE_NAME");
  std::snprintf(out->address, sizeof out->address, "%s:%d", group == nullptr ? "host" : group, device);
  out->memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  out->free_bytes = static_cast<int64_t>(sysconf(_SC_AVPHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  out->numa_node = -1;
  return kSuccess;
}

StreamHandle& CallersStream() {
  static StreamHandle stream(true);
  return stream;
}

int Record(Event event, Stream stream) {
  const auto flag = std::make_shared<Flag>();
  {
    const std::lock_guard lock(event->mutex);
    event->flag = flag;
  }
  stream->Add([flag] { flag->Set(); });
  return kSuccess;
}

const char* CollectiveError(int error) {
  switch (error) {
    case kSystemError: return "unhandled system error";
    case kInternalError: return "internal error";
    case kInvalidArgument: return "invalid argument";
    case kInvalidUsage: return "invalid usage";
    case kRemoteError: return "remote process exited or there was a network error";
    default: return "no error";
  }
}

// The kernels, as plain loops: what the device's are compared with.
template <class T>
void Attend(const PagedAttention& call, float (*load)(T), T (*store)(float)) {
  const auto* queries = static_cast<const T*>(call.queries);
  const auto* keys = static_cast<const T*>(call.keys);
  const auto* values = static_cast<const T*>(call.values);
  const int64_t dim = call.head_dim;
  for (int64_t sequence = 0; sequence < call.sequences; ++sequence) {
    const int64_t length = call.lengths[sequence];
    const int64_t first = call.window > 0 ? std::max<int64_t>(0, length - call.window) : 0;
    for (int64_t head = 0; head < call.heads; ++head) {
      const int64_t at = (sequence * call.heads + head) * dim;
      const auto place = [&](int64_t token) {
        const int64_t page = call.pages[sequence * call.table_pages + token / call.page_tokens];
        const int64_t slot = page * call.page_tokens + token % call.page_tokens;
        return (slot * call.kv_heads + head / (call.heads / call.kv_heads)) * dim;
      };
      std::vector<double> weights;
      double largest = -1e300, total = 0;
      for (int64_t token = first; token < length; ++token) {
        double score = 0;
        for (int64_t d = 0; d < dim; ++d) score += double{load(queries[at + d])} * load(keys[place(token) + d]);
        weights.push_back(score * call.scale);
        largest = std::max(largest, weights.back());
      }
      for (double& weight : weights) total += weight = std::exp(weight - largest);
      for (int64_t d = 0; d < dim; ++d) {
        double sum = 0;
        for (int64_t token = first; token < length; ++token) {
          sum += weights[static_cast<size_t>(token - first)] * load(values[place(token) + d]);
        }
        static_cast<T*>(call.out)[at + d] = store(static_cast<float>(sum / total));
      }
    }
  }
}

int AttendOverPages(const PagedAttention* call, Stream stream) {
  stream->Add([call = *call] {
    if (call.type == Element::kBFloat16) return Attend<uint16_t>(call, FromBFloat16, ToBFloat16);
    Attend<float>(call, [](float value) { return value; }, [](float value) { return value; });
  });
  return kSuccess;
}

void SampleRow(const TopPSampling& call, int64_t row) {
  const float* logits = call.logits + row * call.vocabulary;
  const float largest = *std::max_element(logits, logits + call.vocabulary);
  std::vector<double> weights;
  double total = 0;
  for (int64_t i = 0; i < call.vocabulary; ++i) {
    weights.push_back(std::exp((double{logits[i]} - largest) / call.temperatures[row]));
    total += weights.back();
  }
  std::vector<double> sorted = weights;
  std::ranges::sort(sorted, std::ranges::greater());
  double mass = 0, least = 0;
  if (call.top_ps[row] < 1) {
    for (size_t i = 0; mass < call.top_ps[row] * total && i < sorted.size(); ++i) mass += least = sorted[i];
  }
  double set = 0, sum = 0;
  for (const double weight : weights) set += weight >= least ? weight : 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] < least || weights[i] == 0) continue;
    call.tokens[row] = static_cast<int64_t>(i);
    sum += weights[i];
    if (call.uniforms[row] * set < sum) return;
  }
}

int SampleRows(const TopPSampling* call, Stream stream) {
  stream->Add([call = *call] {
    for (int64_t row = 0; row < call.rows; ++row) SampleRow(call, row);
  });
  return kSuccess;
}

const EntryPoints kTable = {
    .identity = kIdentity,
    .libraries = "host memory",
    .aten_device = "cpu",
    .count =
        [](int* devices) {
          *devices = Number("SRLM_HOST_DEVICES", 8);
          return Number("SRLM_HOST_DEVICE_ERROR", kSuccess);
        },
    .describe = Describe,
    .use = [](int) { return kSuccess; },
    .device_error =
        [](int error) {
          return error == 35 ? "the driver is insufficient for the runtime" : "an error of the runtime";
        },
    .stream_create =
        [](Stream* out) {
          *out = new StreamHandle(false);
          return kSuccess;
        },
    .stream_destroy =
        [](Stream stream) {
          delete stream;
          return kSuccess;
        },
    .stream_of_aten = []() -> Stream { return &CallersStream(); },
    .stream_wait =
        [](Stream stream, Event event) {
          if (const auto flag = event->Get()) stream->Add([flag] { flag->Wait(); });
          return kSuccess;
        },
    .stream_synchronize =
        [](Stream stream) {
          const auto flag = std::make_shared<Flag>();
          stream->Add([flag] { flag->Set(); });
          flag->Wait();
          return kSuccess;
        },
    .event_create =
        [](Event* out) {
          *out = new EventHandle;
          return kSuccess;
        },
    .event_destroy =
        [](Event event) {
          delete event;
          return kSuccess;
        },
    .event_record = Record,
    .event_query =
        [](Event event) {
          const auto flag = event->Get();
          return flag == nullptr || flag->IsDone() ? kSuccess : kNotReady;
        },
    .unique_id =
        [](UniqueId* out) {
          uint64_t words[2] = {};
          if (getrandom(words, sizeof words, 0) != sizeof words) return kSystemError;
          std::snprintf(out->bytes, sizeof out->bytes, "srlm-%016lx%016lx", words[0], words[1]);
          return kSuccess;
        },
    .create =
        [](Collective* out, int ranks, const UniqueId* id, int rank) {
          *out = new GroupOfRanks(ranks, *id, rank);
          return kInProgress;
        },
    .state =
        [](Collective collective, int* out) {
          *out = collective->State();
          return kSuccess;
        },
    .finalize =
        [](Collective collective) {
          const std::lock_guard lock(collective->mutex);
          collective->finalizing = true;
          return kInProgress;
        },
    .destroy =
        [](Collective collective) {
          delete collective;
          return kSuccess;
        },
    .abort =
        [](Collective collective) {
          collective->Abort();  // it stays: streams may still hold work of it, which ends now
          return kSuccess;
        },
    .collective_error = CollectiveError,
    .last_error =
        [](Collective collective) {
          const std::lock_guard lock(collective->mutex);
          return collective->last_error.c_str();
        },
    .group_start = GroupStart,
    .group_end = GroupEnd,
    .all_reduce = AllReduce,
    .broadcast = Broadcast,
    .all_gather = AllGather,
    .reduce_scatter = ReduceScatter,
    .send = SendTo,
    .receive = ReceiveFrom,
    .paged_attention = AttendOverPages,
    .top_p_sampling = SampleRows,
};

}  // namespace
}  // namespace srlm::device

extern "C" const srlm::device::EntryPoints* srlm_device_entry_points() { return &srlm::device::kTable; }
