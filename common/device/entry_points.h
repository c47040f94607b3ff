// What a device's plug-in offers: functions of its runtime and of NCCL, behind types that say nothing of them. The CUDA
// plug-in (common/cuda) fills the table with NVIDIA's; the one of the tests with host memory and sockets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/version.h"

namespace srlm::device {

// Handles of the plug-in's own.
using Stream = struct StreamHandle*;      // work of a device, in order
using Event = struct EventHandle*;        // a place in a stream
using Collective = struct GroupOfRanks*;  // NCCL's communicator

/// What a function returns: 0, or the library's own number, which `device_error` or `collective_error` explains.
inline constexpr int kSuccess = 0;
/// NCCL's "not yet" (ncclInProgress) and the runtime's (cudaErrorNotReady).
inline constexpr int kInProgress = 7;
inline constexpr int kNotReady = 600;

/// Elements of a collective, by NCCL's numbers.
enum class Element : int { kByte = 1, kInt64 = 4, kFloat32 = 7, kFloat64 = 8, kBFloat16 = 9 };

/// What NCCL's ranks find one another by; rank 0 makes it.
struct UniqueId {
  char bytes[128];
};

struct Description {
  char name[256];
  char address[32];  // on the bus: the same device, whatever a process calls it
  int64_t memory_bytes;
  int64_t free_bytes;
  int capability;      // 90: sm_90
  int numa_node;       // -1: not known
  int bandwidth_gb_s;  // of its memory, as it says of itself; 0: not known
  int multiprocessors;
};

/// Attention of one query a sequence over keys and values that lie in pages, read where they are. Device memory;
/// `type` (kFloat32 or kBFloat16) is that of queries, keys, values and out; probabilities are float32.
struct PagedAttention {
  const void* queries;     // [sequences, heads, head_dim]
  const void* keys;        // [pages * page_tokens, kv_heads, head_dim]
  const void* values;      // the same
  const int32_t* pages;    // [sequences, table_pages]
  const int32_t* lengths;  // [sequences]: tokens, the query's own the last of them
  void* out;               // [sequences, heads, head_dim]
  Element type;
  int32_t sequences, heads, kv_heads, head_dim;  // head_dim: at most 256
  int32_t table_pages, page_tokens;
  int32_t window;  // tokens that are seen, the own one the last; 0: all
  float scale;
};

/// One token a row, drawn from the smallest set of most probable tokens whose mass reaches top_p (those as probable as
/// the last of them among it); within the set in order of id, so that a draw gives another token than the processor's
/// sampler may, with the same probabilities. Device memory.
struct TopPSampling {
  const float* logits;        // [rows, vocabulary]
  const float* temperatures;  // [rows], above 0
  const float* top_ps;        // [rows]
  const float* uniforms;      // [rows], in [0, 1)
  int64_t* tokens;            // [rows]
  int32_t rows, vocabulary;
};

/// All collectives sum, where they sum. `send` and `receive` may be the same memory where NCCL allows it. Calls of one
/// Collective come from one thread, but for `abort` and `state`.
struct EntryPoints {
  const char* identity;     // kIdentity of the plug-in's build: whatever else is read only when it is this program's
  const char* libraries;    // "CUDA 13.0, NCCL 2.28.9"
  const char* aten_device;  // what ATen calls such a device: "cuda"

  // Devices. `count` is the first call: it fails where there is no driver.
  int (*count)(int* devices);
  int (*describe)(int device, Description* out);
  int (*use)(int device);  // by the calling thread from now on
  const char* (*device_error)(int error);

  // Streams and events of the device in use.
  int (*stream_create)(Stream* out);
  int (*stream_destroy)(Stream stream);
  Stream (*stream_of_aten)();                      // where ATen computes, for the calling thread
  int (*stream_wait)(Stream stream, Event event);  // its later work waits for the event
  int (*stream_synchronize)(Stream stream);        // the caller waits for its work
  int (*event_create)(Event* out);
  int (*event_destroy)(Event event);
  int (*event_record)(Event event, Stream stream);
  int (*event_query)(Event event);  // kNotReady until the stream has come there

  // Collectives, as NCCL has them; no call waits for another rank.
  int (*unique_id)(UniqueId* out);
  int (*create)(Collective* out, int ranks, const UniqueId* id, int rank);  // goes on in `state`
  int (*state)(Collective collective, int* out);                            // ncclCommGetAsyncError
  int (*finalize)(Collective collective);                                   // goes on in `state`; then `destroy`
  int (*destroy)(Collective collective);
  int (*abort)(Collective collective);  // ends what is under way on the device, too
  const char* (*collective_error)(int error);
  const char* (*last_error)(Collective collective);  // what NCCL said last, maybe ""
  int (*group_start)();
  int (*group_end)();
  int (*all_reduce)(const void* send, void* receive, size_t count, Element type, Collective collective, Stream stream);
  int (*broadcast)(const void* send, void* receive, size_t count, Element type, int root, Collective collective,
                   Stream stream);
  int (*all_gather)(const void* send, void* receive, size_t send_count, Element type, Collective collective,
                    Stream stream);
  int (*reduce_scatter)(const void* send, void* receive, size_t receive_count, Element type, Collective collective,
                        Stream stream);
  int (*send)(const void* data, size_t count, Element type, int peer, Collective collective, Stream stream);
  int (*receive)(void* data, size_t count, Element type, int peer, Collective collective, Stream stream);

  // Kernels of our own, beside ATen's: used where they are asked for. On the given stream.
  int (*paged_attention)(const PagedAttention* call, Stream stream);
  int (*top_p_sampling)(const TopPSampling* call, Stream stream);
};

/// What a program and a plug-in must agree on: the version, and this file (SRLM_DEVICE_INTERFACE is its hash).
inline constexpr char kIdentity[] = "srlm " SRLM_VERSION ", device interface " SRLM_DEVICE_INTERFACE;

/// The name of the one function that a plug-in exports: `const EntryPoints* srlm_device_entry_points()`, with C's
/// linkage.
inline constexpr char kEntryPointsFunction[] = "srlm_device_entry_points";
using EntryPointsFunction = const EntryPoints* (*)();

}  // namespace srlm::device
