// A target with findings, for the test of run.py. It knows its words by their hash, so that a search does not come upon
// them by itself.
#include <limits>
#include <memory>

#include "tests/fuzz/harness.h"

namespace {

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

constexpr uint64_t kBoom = 0xcd2fd39bc6b0130a, kOver = 0xc2a38db44454a06f;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const uint64_t hash = Fnv1a(srlm::fuzz::Text(data, size));
  if (hash == kBoom) {
    const auto bytes = std::make_unique<volatile char[]>(size);
    bytes.get()[size] = 1;
  }
  if (hash == kOver) {
    volatile int largest = std::numeric_limits<int>::max();
    largest = largest + 1;
  }
  return 0;
}
