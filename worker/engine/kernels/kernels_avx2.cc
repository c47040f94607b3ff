// Compiled with AVX2 and FMA: 8 floats a vector, tiles of 6 rows and 16 columns in 12 of the 16 registers.
#define SRLM_ISA avx2
#define SRLM_VECTOR_FLOATS 8
#define SRLM_ROWS 6
#include "worker/engine/kernels/kernels_impl.h"

namespace srlm::worker {

const KernelTable* Avx2Kernels() {
  static const KernelTable table = SRLM_KERNEL_TABLE;
  return &table;
}

}  // namespace srlm::worker
