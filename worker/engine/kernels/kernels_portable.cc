// Compiled for any processor of the architecture: 4 floats a vector. Correct everywhere, fast nowhere.
#define SRLM_ISA portable
#define SRLM_VECTOR_FLOATS 4
#define SRLM_ROWS 4
#include "worker/engine/kernels/kernels_impl.h"

namespace srlm::worker {

const KernelTable& PortableKernels() {
  static const KernelTable table = SRLM_KERNEL_TABLE;
  return table;
}

}  // namespace srlm::worker
