#include "coordinator/cli/text.h"

#include <gtest/gtest.h>

namespace srlm::cli {
namespace {

TEST(DisplayWidth, CountsCharactersAsATerminalDoes) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("añb"), 3U);
  EXPECT_EQ(DisplayWidth("日本"), 4U);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1U);  // e and a combining accent
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2U);   // not UTF-8
}

TEST(Shorten, NeverExceedsTheWidthNorCutsACharacter) {
  EXPECT_EQ(Shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(Shorten("abcdefg", 6), "abc...");
  EXPECT_EQ(Shorten("日本語日本語", 8), "日本...");
  EXPECT_EQ(Shorten("abc", 2), "ab");
}

TEST(OneLine, LeavesNoControlCharacterToTheTerminal) {
  EXPECT_EQ(OneLine("a\n\n b\x1b[31mred\x07\xC2\x9B!"), "a b [31mred !");
  EXPECT_EQ(OneLine("a\xE2\x80\xAE b"), "a b");  // right-to-left override
}

TEST(Wrap, BreaksAtSpacesAndKeepsLineEnds) {
  EXPECT_EQ(Wrap("one two three\nfour", 7, 2), "  one two\n  three\n  four\n");
  EXPECT_EQ(Wrap("abcdefghij", 4, 0), "abcd\nefgh\nij\n");
  EXPECT_EQ(Wrap("", 4, 1), " \n");
  EXPECT_EQ(Wrap("日本", 1, 0), "日\n本\n");  // wider than the width: still ends
}

TEST(Numbers, AreReadable) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(1234567), "1,234,567");
  EXPECT_EQ(Span(9.4), "9 s");
  EXPECT_EQ(Span(65), "1:05");
  EXPECT_EQ(Span(7384), "2:03:04");
  EXPECT_EQ(Span(-1), "?");
}

}  // namespace
}  // namespace srlm::cli
