// Compiled with AVX-512: 16 floats a vector, tiles of 12 rows and 32 columns in 24 of the 32 registers.
#define SRLM_ISA avx512
#define SRLM_VECTOR_FLOATS 16
#define SRLM_ROWS 12
#include "worker/engine/kernels/kernels_impl.h"

namespace srlm::worker {

const KernelTable* Avx512Kernels() {
  static const KernelTable table = SRLM_KERNEL_TABLE;
  return &table;
}

}  // namespace srlm::worker
