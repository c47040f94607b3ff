#include "worker/engine/kernels/kernels.h"

#include <cstdlib>
#include <cstring>

namespace srlm::worker {
namespace {

#if defined(__x86_64__)
bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

}  // namespace

void PackRows(const float* w, int64_t row, int64_t rows, int64_t k, int panel_columns, float* packed) {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t panel = (row + r) / panel_columns, column = (row + r) % panel_columns;
    float* out = packed + panel * panel_columns * k + column;
    for (int64_t i = 0; i < k; ++i) out[i * panel_columns] = w[r * k + i];
  }
}

void UnpackRow(const float* packed, int64_t row, int64_t k, int panel_columns, float* out) {
  const float* from = packed + row / panel_columns * panel_columns * k + row % panel_columns;
  for (int64_t i = 0; i < k; ++i) out[i] = from[i * panel_columns];
}

const KernelTable& SelectKernels() {
  const char* asked = std::getenv("SRLM_KERNELS");
  const auto allows = [&](const char* name) { return asked == nullptr || std::strcmp(asked, name) == 0; };
#if defined(__x86_64__)
  if (HasAvx512() && allows("avx512")) return *Avx512Kernels();
  if (HasAvx2() && allows("avx2")) return *Avx2Kernels();
#endif
  return PortableKernels();
}

}  // namespace srlm::worker
