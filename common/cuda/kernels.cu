#include <cuda_bf16.h>

#include <cfloat>

#include "common/cuda/kernels.h"

namespace srlm::cuda {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

__device__ inline float ToFloat(float value) { return value; }
__device__ inline float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ inline void Store(float value, float* to) { *to = value; }
__device__ inline void Store(float value, __nv_bfloat16* to) { *to = __float2bfloat16(value); }

__device__ inline float WarpSum(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kAllLanes, value, offset);
  return value;
}

// A block has one query head of one sequence. Each warp takes every kWarps-th token, with a softmax of its own that is
// corrected as a larger score comes (online softmax, arXiv 1805.02867); the warps' parts are put together at the end.
constexpr int kAttentionWarps = 8;
constexpr int kMostHeadDim = 256;
constexpr int kLaneDims = kMostHeadDim / kWarp;  // of a head, each lane's

template <class T>
__global__ void PagedAttentionKernel(device::PagedAttention call) {
  const int head = blockIdx.x, sequence = blockIdx.y;
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const int dim = call.head_dim, kv_head = head / (call.heads / call.kv_heads);
  const int length = call.lengths[sequence];
  const int first = call.window > 0 && length > call.window ? length - call.window : 0;
  const int32_t* const pages = call.pages + static_cast<int64_t>(sequence) * call.table_pages;
  const int64_t query_at = (static_cast<int64_t>(sequence) * call.heads + head) * dim;

  float query[kLaneDims], sum[kLaneDims] = {};
  for (int i = 0; i < kLaneDims; ++i) {
    const int d = lane + i * kWarp;
    query[i] = d < dim ? ToFloat(static_cast<const T*>(call.queries)[query_at + d]) * call.scale : 0.0f;
  }
  float largest = -FLT_MAX, total = 0;
  for (int token = first + warp; token < length; token += kAttentionWarps) {
    const int64_t slot =
        static_cast<int64_t>(pages[token / call.page_tokens]) * call.page_tokens + token % call.page_tokens;
    const int64_t at = (slot * call.kv_heads + kv_head) * dim;
    float score = 0;
    for (int i = 0; i < kLaneDims; ++i) {
      const int d = lane + i * kWarp;
      if (d < dim) score += query[i] * ToFloat(static_cast<const T*>(call.keys)[at + d]);
    }
    score = WarpSum(score);
    const float larger = fmaxf(largest, score);
    const float keep = __expf(largest - larger), weight = __expf(score - larger);
    largest = larger;
    total = total * keep + weight;
    for (int i = 0; i < kLaneDims; ++i) {
      const int d = lane + i * kWarp;
      if (d < dim) sum[i] = sum[i] * keep + weight * ToFloat(static_cast<const T*>(call.values)[at + d]);
    }
  }

  __shared__ float sums[kAttentionWarps][kMostHeadDim];
  __shared__ float largests[kAttentionWarps], totals[kAttentionWarps];
  for (int i = 0; i < kLaneDims; ++i) {
    const int d = lane + i * kWarp;
    if (d < dim) sums[warp][d] = sum[i];
  }
  if (lane == 0) {
    largests[warp] = largest;
    totals[warp] = total;
  }
  __syncthreads();
  float all_largest = -FLT_MAX;
  for (int w = 0; w < kAttentionWarps; ++w) all_largest = fmaxf(all_largest, largests[w]);
  float all_total = 0;
  for (int w = 0; w < kAttentionWarps; ++w) all_total += totals[w] * __expf(largests[w] - all_largest);
  for (int d = threadIdx.x; d < dim; d += blockDim.x) {
    float value = 0;
    for (int w = 0; w < kAttentionWarps; ++w) value += sums[w][d] * __expf(largests[w] - all_largest);
    Store(value / all_total, static_cast<T*>(call.out) + query_at + d);
  }
}

// A block has one row. Sums over a block come in one order for one vocabulary.
constexpr int kSamplingThreads = 1024;

__device__ float BlockSum(float value, float* scratch) {
  value = WarpSum(value);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = threadIdx.x < kSamplingThreads / kWarp ? scratch[threadIdx.x] : 0.0f;
  if (threadIdx.x < kWarp) value = WarpSum(value);
  if (threadIdx.x == 0) scratch[0] = value;
  __syncthreads();
  return scratch[0];
}

__device__ float BlockMax(float value, float* scratch) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
  __syncthreads();
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  float largest = scratch[0];
  for (int w = 1; w < kSamplingThreads / kWarp; ++w) largest = fmaxf(largest, scratch[w]);
  return largest;
}

__global__ void TopPSamplingKernel(device::TopPSampling call) {
  __shared__ float scratch[kSamplingThreads / kWarp];
  __shared__ float below[kSamplingThreads];
  const int row = blockIdx.x;
  const float* const logits = call.logits + static_cast<int64_t>(row) * call.vocabulary;
  // Each thread has a stretch of neighbouring tokens: the draw goes through them in order of id.
  const int stretch = (call.vocabulary + kSamplingThreads - 1) / kSamplingThreads;
  const int begin = min(static_cast<int>(threadIdx.x) * stretch, call.vocabulary);
  const int end = min(begin + stretch, call.vocabulary);
  float largest = -FLT_MAX;
  for (int i = begin; i < end; ++i) largest = fmaxf(largest, logits[i]);
  largest = BlockMax(largest, scratch);
  const float inverse = 1.0f / call.temperatures[row];
  const auto weight = [&](int i) { return __expf((logits[i] - largest) * inverse); };
  const auto mass_from = [&](float least) {
    float mass = 0;
    for (int i = begin; i < end; ++i) {
      const float each = weight(i);
      mass += each >= least ? each : 0.0f;
    }
    return BlockSum(mass, scratch);
  };
  // The largest weight from which on there is enough mass, by halving the bits of what it can be: weights are at
  // most 1.
  float least = 0;
  if (call.top_ps[row] < 1.0f) {
    const float wanted = call.top_ps[row] * mass_from(0.0f);
    unsigned low = 0, high = __float_as_uint(1.0f);  // enough from `low` on
    while (low < high) {
      const unsigned middle = low + (high - low + 1) / 2;
      if (mass_from(__uint_as_float(middle)) >= wanted) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    least = __uint_as_float(low);
  }
  float mine = 0;
  for (int i = begin; i < end; ++i) mine += weight(i) >= least ? weight(i) : 0.0f;
  below[threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total = 0;
  for (int t = 0; t < kSamplingThreads; ++t) total += below[t];
  const float target = call.uniforms[row] * total;
  float sum = 0;
  int last = 0;
  for (int t = 0; t < kSamplingThreads; ++t) {
    const int from = min(t * stretch, call.vocabulary), to = min(from + stretch, call.vocabulary);
    if (below[t] == 0.0f) continue;
    if (sum + below[t] <= target && t + 1 < kSamplingThreads) {
      sum += below[t];
      last = to - 1;
      continue;
    }
    for (int i = from; i < to; ++i) {
      const float each = weight(i);
      if (each < least || each == 0.0f) continue;
      last = i;
      sum += each;
      if (target < sum) break;
    }
    if (target < sum) break;
  }
  call.tokens[row] = last;
}

}  // namespace

cudaError_t PagedAttention(const device::PagedAttention& call, cudaStream_t stream) {
  if (call.sequences == 0) return cudaSuccess;
  if (call.head_dim > kMostHeadDim || call.heads % call.kv_heads != 0) return cudaErrorInvalidValue;
  const dim3 blocks(static_cast<unsigned>(call.heads), static_cast<unsigned>(call.sequences));
  constexpr int kThreads = kAttentionWarps * kWarp;
  switch (call.type) {
    case device::Element::kFloat32: PagedAttentionKernel<float><<<blocks, kThreads, 0, stream>>>(call); break;
    case device::Element::kBFloat16: PagedAttentionKernel<__nv_bfloat16><<<blocks, kThreads, 0, stream>>>(call); break;
    default: return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}

cudaError_t TopPSampling(const device::TopPSampling& call, cudaStream_t stream) {
  if (call.rows == 0) return cudaSuccess;
  TopPSamplingKernel<<<static_cast<unsigned>(call.rows), kSamplingThreads, 0, stream>>>(call);
  return cudaGetLastError();
}

}  // namespace srlm::cuda
