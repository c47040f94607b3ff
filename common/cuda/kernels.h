// Kernels of our own; what they compute is said in common/device/entry_points.h.
#pragma once

#include <cuda_runtime.h>

#include "common/device/entry_points.h"

namespace srlm::cuda {

cudaError_t PagedAttention(const device::PagedAttention& call, cudaStream_t stream);
cudaError_t TopPSampling(const device::TopPSampling& call, cudaStream_t stream);

}  // namespace srlm::cuda
