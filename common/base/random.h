// Counted random numbers: a draw is a function of what it is for, never of when it happened.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace srlm {

/// A stream of random numbers named by a seed and a path of integers (round, prompt, sample, vote, ...).
/// Draw i of a stream is Philox4x32-10 (Salmon et al., SC 2011) keyed by the stream, counter i.
class RandomStream {
 public:
  RandomStream() = default;
  RandomStream(uint64_t seed, std::initializer_list<uint64_t> path);

  /// The stream named by this stream's path and one more step.
  RandomStream Child(uint64_t step) const;

  /// Draw `position` as 64 random bits.
  uint64_t Bits(uint64_t position) const;
  /// Draw `position` in [0, 1), 53 bits.
  double Uniform(uint64_t position) const;
  /// Draw `position` in [0, bound), bound >= 1.
  uint64_t Below(uint64_t position, uint64_t bound) const;

  /// The stream's name, as a number that can be sent and made a stream again.
  uint64_t key() const { return key_; }
  static RandomStream FromKey(uint64_t key);

 private:
  uint64_t key_ = 0;
};

/// A number for a text id, to name a stream by it (FNV-1a, 64 bits).
uint64_t StreamId(std::string_view text);

}  // namespace srlm
