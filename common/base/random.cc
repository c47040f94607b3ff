#include "common/base/random.h"

#include <array>

#include "common/base/check.h"

namespace srlm {
namespace {

/// The finalizer of SplitMix64: every bit of the input reaches every bit of the output.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::array<uint32_t, 4> Philox(uint64_t key, uint64_t counter) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  std::array<uint32_t, 4> x = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += kWeyl0, k1 += kWeyl1) {
    const uint64_t p0 = kMultiplier0 * x[0], p1 = kMultiplier1 * x[2];
    x = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<uint32_t>(p0)};
  }
  return x;
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, std::initializer_list<uint64_t> path) : key_(Mix(seed)) {
  for (const uint64_t step : path) *this = Child(step);
}

// Key and step are mixed differently often: else seed 2, step 1 would be seed 1, step 2.
RandomStream RandomStream::Child(uint64_t step) const { return FromKey(Mix(Mix(key_) ^ Mix(step))); }

RandomStream RandomStream::FromKey(uint64_t key) {
  RandomStream stream;
  stream.key_ = key;
  return stream;
}

uint64_t RandomStream::Bits(uint64_t position) const {
  const auto x = Philox(key_, position);
  return (static_cast<uint64_t>(x[0]) << 32) | x[1];
}

double RandomStream::Uniform(uint64_t position) const { return static_cast<double>(Bits(position) >> 11) * 0x1.0p-53; }

uint64_t RandomStream::Below(uint64_t position, uint64_t bound) const {
  SRLM_CHECK(bound >= 1, "a random choice needs at least one case");
  return static_cast<uint64_t>((static_cast<unsigned __int128>(Bits(position)) * bound) >> 64);
}

uint64_t StreamId(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return hash;
}

}  // namespace srlm
