// The entry points on NVIDIA's devices: the runtime's, NCCL's and our kernels. The library also brings ATen's CUDA
// half, which registers itself when it is loaded.
#include "common/device/entry_points.h"

#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime.h>
#include <nccl.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/cuda/kernels.h"

namespace srlm::cuda {
namespace {

using device::Collective;
using device::Element;
using device::Event;
using device::Stream;

// The table's numbers are the libraries' own.
static_assert(device::kSuccess == cudaSuccess && device::kSuccess == ncclSuccess);
static_assert(device::kNotReady == cudaErrorNotReady && device::kInProgress == ncclInProgress);
static_assert(static_cast<int>(Element::kByte) == ncclUint8 && static_cast<int>(Element::kInt64) == ncclInt64);
static_assert(static_cast<int>(Element::kFloat32) == ncclFloat32 && static_cast<int>(Element::kFloat64) == ncclFloat64);
static_assert(static_cast<int>(Element::kBFloat16) == ncclBfloat16);
static_assert(sizeof(device::UniqueId) == sizeof(ncclUniqueId));

ncclComm_t Of(Collective collective) { return reinterpret_cast<ncclComm_t>(collective); }
cudaStream_t Of(Stream stream) { return reinterpret_cast<cudaStream_t>(stream); }
cudaEvent_t Of(Event event) { return reinterpret_cast<cudaEvent_t>(event); }
ncclDataType_t Of(Element type) { return static_cast<ncclDataType_t>(type); }

/// The number in a file of one line; -1 where there is none.
int NumberIn(const std::string& path) {
  int number = -1;
  if (FILE* const file = std::fopen(path.c_str(), "r")) {
    if (std::fscanf(file, "%d", &number) != 1) number = -1;
    std::fclose(file);
  }
  return number;
}

int Describe(int number, device::Description* out) {
  *out = {};
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, number); error != cudaSuccess) return error;
  std::snprintf(out->name, sizeof out->name, "%s", properties.name);
  if (const cudaError_t error = cudaDeviceGetPCIBusId(out->address, sizeof out->address, number);
      error != cudaSuccess) {
    return error;
  }
  std::string bus(out->address);
  std::ranges::transform(bus, bus.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  out->numa_node = NumberIn("/sys/bus/pci/devices/" + bus + "/numa_node");
  size_t free_bytes = 0, bytes = 0;
  if (const cudaError_t error = cudaMemGetInfo(&free_bytes, &bytes); error != cudaSuccess) return error;
  out->free_bytes = static_cast<int64_t>(free_bytes);
  out->memory_bytes = static_cast<int64_t>(bytes);
  out->capability = 10 * properties.major + properties.minor;
  out->multiprocessors = properties.multiProcessorCount;
  int clock_khz = 0, bits = 0;
  if (cudaDeviceGetAttribute(&clock_khz, cudaDevAttrMemoryClockRate, number) == cudaSuccess &&
      cudaDeviceGetAttribute(&bits, cudaDevAttrGlobalMemoryBusWidth, number) == cudaSuccess) {
    out->bandwidth_gb_s = static_cast<int>(2.0 * clock_khz * bits / 8 / 1e6);  // two transfers a clock
  }
  return cudaSuccess;
}

int CreateStream(Stream* out) {
  int least = 0, greatest = 0;
  if (const cudaError_t error = cudaDeviceGetStreamPriorityRange(&least, &greatest); error != cudaSuccess) return error;
  // Before other work: who waits for a collective waits on all ranks.
  return cudaStreamCreateWithPriority(reinterpret_cast<cudaStream_t*>(out), cudaStreamNonBlocking, greatest);
}

/// NCCL's own calls must not wait for other ranks: a deadline could not end them.
int Create(Collective* out, int ranks, const device::UniqueId* id, int rank) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclUniqueId unique;
  std::memcpy(&unique, id, sizeof unique);
  return ncclCommInitRankConfig(reinterpret_cast<ncclComm_t*>(out), ranks, unique, rank, &config);
}

const char* Libraries() {
  static const std::string text = [] {
    int runtime = 0, nccl = 0;
    cudaRuntimeGetVersion(&runtime);
    ncclGetVersion(&nccl);
    return "CUDA " + std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10) + ", NCCL " +
           std::to_string(nccl / 10000) + "." + std::to_string(nccl / 100 % 100) + "." + std::to_string(nccl % 100);
  }();
  return text.c_str();
}

const device::EntryPoints kTable = {
    .identity = device::kIdentity,
    .libraries = Libraries(),
    .aten_device = "cuda",
    .count = [](int* devices) -> int { return cudaGetDeviceCount(devices); },
    .describe = Describe,
    .use = [](int number) -> int { return cudaSetDevice(number); },
    .device_error = [](int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); },
    .stream_create = CreateStream,
    .stream_destroy = [](Stream stream) -> int { return cudaStreamDestroy(Of(stream)); },
    .stream_of_aten = [] { return reinterpret_cast<Stream>(c10::cuda::getCurrentCUDAStream().stream()); },
    .stream_wait = [](Stream stream, Event event) -> int { return cudaStreamWaitEvent(Of(stream), Of(event), 0); },
    .stream_synchronize = [](Stream stream) -> int { return cudaStreamSynchronize(Of(stream)); },
    .event_create = [](Event* out) -> int {
      return cudaEventCreateWithFlags(reinterpret_cast<cudaEvent_t*>(out), cudaEventDisableTiming);
    },
    .event_destroy = [](Event event) -> int { return cudaEventDestroy(Of(event)); },
    .event_record = [](Event event, Stream stream) -> int { return cudaEventRecord(Of(event), Of(stream)); },
    .event_query = [](Event event) -> int {
      const cudaError_t error = cudaEventQuery(Of(event));
      if (error == cudaErrorNotReady) (void)cudaGetLastError();  // no error, and nobody is to find it as one
      return error;
    },
    .unique_id = [](device::UniqueId* out) -> int { return ncclGetUniqueId(reinterpret_cast<ncclUniqueId*>(out)); },
    .create = Create,
    .state = [](Collective collective, int* out) -> int {
      ncclResult_t state = ncclSuccess;
      const ncclResult_t error = ncclCommGetAsyncError(Of(collective), &state);
      *out = state;
      return error;
    },
    .finalize = [](Collective collective) -> int { return ncclCommFinalize(Of(collective)); },
    .destroy = [](Collective collective) -> int { return ncclCommDestroy(Of(collective)); },
    .abort = [](Collective collective) -> int { return ncclCommAbort(Of(collective)); },
    .collective_error = [](int error) { return ncclGetErrorString(static_cast<ncclResult_t>(error)); },
    .last_error = [](Collective collective) { return ncclGetLastError(Of(collective)); },
    .group_start = []() -> int { return ncclGroupStart(); },
    .group_end = []() -> int { return ncclGroupEnd(); },
    .all_reduce = [](const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream)
        -> int { return ncclAllReduce(send, receive, count, Of(type), ncclSum, Of(collective), Of(stream)); },
    .broadcast = [](const void* send, void* receive, size_t count, Element type, int root, Collective collective,
                    Stream stream) -> int {
      return ncclBroadcast(send, receive, count, Of(type), root, Of(collective), Of(stream));
    },
    .all_gather = [](const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream)
        -> int { return ncclAllGather(send, receive, count, Of(type), Of(collective), Of(stream)); },
    .reduce_scatter = [](const void* send, void* receive, size_t count, Element type, Collective collective,
                         Stream stream) -> int {
      return ncclReduceScatter(send, receive, count, Of(type), ncclSum, Of(collective), Of(stream));
    },
    .send = [](const void* data, size_t count, Element type, int peer, Collective collective, Stream stream) -> int {
      return ncclSend(data, count, Of(type), peer, Of(collective), Of(stream));
    },
    .receive = [](void* data, size_t count, Element type, int peer, Collective collective, Stream stream) -> int {
      return ncclRecv(data, count, Of(type), peer, Of(collective), Of(stream));
    },
    .paged_attention = [](const device::PagedAttention* call, Stream stream) -> int {
      return PagedAttention(*call, Of(stream));
    },
    .top_p_sampling = [](const device::TopPSampling* call, Stream stream) -> int {
      return TopPSampling(*call, Of(stream));
    },
};

}  // namespace
}  // namespace srlm::cuda

extern "C" const srlm::device::EntryPoints* srlm_device_entry_points() { return &srlm::cuda::kTable; }
