#include "worker/engine/cache_manager.h"

#include <gtest/gtest.h>

#include <numeric>

namespace srlm::worker {
namespace {

std::vector<int> Tokens(int count, int first = 0) {
  std::vector<int> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

TEST(CacheManager, ASharedPrefixCoversWholePagesOnly) {
  CacheManager cache(8, 16, true);
  const auto tokens = Tokens(40);
  PageTable a, b;
  EXPECT_EQ(cache.Begin(tokens, 39, a), 0);
  ASSERT_TRUE(cache.Grow(a, 40));
  cache.Share(a, tokens, 40);
  EXPECT_EQ(cache.Begin(tokens, 39, b), 32);
  EXPECT_EQ(b.pages[0], a.pages[0]);
  EXPECT_EQ(b.pages[1], a.pages[1]);
}

TEST(CacheManager, TheLastTokenIsNeverTakenFromTheCache) {
  CacheManager cache(8, 16, true);
  const auto tokens = Tokens(32);
  PageTable a, b;
  cache.Begin(tokens, 31, a);
  ASSERT_TRUE(cache.Grow(a, 32));
  cache.Share(a, tokens, 32);
  EXPECT_EQ(cache.Begin(tokens, 31, b), 16);
}

TEST(CacheManager, AnotherTextSharesNothing) {
  CacheManager cache(8, 16, true);
  PageTable a, b;
  const auto tokens = Tokens(20);
  cache.Begin(tokens, 19, a);
  ASSERT_TRUE(cache.Grow(a, 20));
  cache.Share(a, tokens, 20);
  EXPECT_EQ(cache.Begin(Tokens(20, 7), 19, b), 0);
}

TEST(CacheManager, PagesOfFinishedSequencesAreGivenUpWhenOthersNeedThem) {
  CacheManager cache(4, 16, true);
  const auto tokens = Tokens(64);
  PageTable a, b;
  cache.Begin(tokens, 63, a);
  ASSERT_TRUE(cache.Grow(a, 64));
  cache.Share(a, tokens, 64);
  ASSERT_FALSE(cache.Grow(b, 16)) << "all pages are held by a running sequence";
  cache.Release(a);
  EXPECT_TRUE(cache.Grow(b, 64)) << "the tree gives its pages back";
}

TEST(CacheManager, AForkSharesFullPagesAndCopiesThePartialOne) {
  CacheManager cache(8, 16, true);
  const auto tokens = Tokens(20);
  PageTable a, b;
  cache.Begin(tokens, 19, a);
  ASSERT_TRUE(cache.Grow(a, 20));
  int from = -1, to = -1;
  ASSERT_TRUE(cache.Fork(a, 20, b, from, to));
  EXPECT_EQ(a.pages[0], b.pages[0]);
  EXPECT_NE(a.pages[1], b.pages[1]);
  EXPECT_EQ(from, a.pages[1]);
  EXPECT_EQ(to, b.pages[1]);
  cache.Release(a);
  cache.Release(b);
  PageTable all;
  EXPECT_TRUE(cache.Grow(all, 8 * 16)) << "every page came back";
}

}  // namespace
}  // namespace srlm::worker
