#include "common/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace srlm {
namespace {

// Of the reference implementation (Random123, kat_vectors): philox4x32-10, counter and key in words of 32 bits. A
// stream's draw uses the first two words of the counter and both of the key.
TEST(Random, DrawsAreThoseOfPhilox4x32) { EXPECT_EQ(RandomStream::FromKey(0).Bits(0), 0x6627e8d5e169c58dULL); }

// What runs have stored depends on these: they may never change.
TEST(Random, StreamsAreNamedAsEver) {
  const RandomStream stream(1, {2, 3, 4});
  EXPECT_EQ(stream.key(), 0x4053e604a9db4c4cULL);
  EXPECT_EQ(stream.Bits(0), 0xc23961b64efe25fcULL);
  EXPECT_EQ(StreamId("prompt-17"), 0xc53a6a91361ad1aULL);
}

TEST(Random, StreamIdIsFnv1a) {
  EXPECT_EQ(StreamId(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(StreamId("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(StreamId("foobar"), 0x85944171f73967e8ULL);
}

TEST(Random, APathIsItsStepsOneByOneAndAKeyMakesTheStreamAgain) {
  const RandomStream whole(7, {1, 2});
  const RandomStream steps = RandomStream(7, {}).Child(1).Child(2);
  EXPECT_EQ(whole.key(), steps.key());
  EXPECT_EQ(RandomStream::FromKey(whole.key()).Bits(9), whole.Bits(9));
}

TEST(Random, NeighboursDiffer) {
  std::set<uint64_t> keys;
  for (uint64_t seed = 0; seed < 20; ++seed)
    for (uint64_t round = 0; round < 20; ++round)
      for (uint64_t prompt = 0; prompt < 20; ++prompt) keys.insert(RandomStream(seed, {round, prompt}).key());
  EXPECT_EQ(keys.size(), 8000u);
}

TEST(Random, UniformAndBelowFillTheirRange) {
  const RandomStream stream(3, {});
  constexpr int kDraws = 20000;
  double sum = 0;
  int counts[6] = {};
  for (int i = 0; i < kDraws; ++i) {
    const double draw = stream.Uniform(static_cast<uint64_t>(i));
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    sum += draw;
    ++counts[stream.Below(static_cast<uint64_t>(i), 6)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.01);
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6.0, 200);
  EXPECT_EQ(stream.Below(5, 1), 0u);
}

}  // namespace
}  // namespace srlm
