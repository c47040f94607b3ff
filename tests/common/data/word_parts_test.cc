#include "common/data/word_parts.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "common/data/overlap.h"

namespace srlm::data {
namespace {

std::vector<std::string> Texts(std::string_view text) {
  std::vector<std::string> texts;
  for (const WordPart& part : WordParts(text)) texts.push_back(part.text);
  return texts;
}

TEST(WordParts, WordsWithSpacesAreWhole) {
  EXPECT_EQ(Texts("Où est-il, GPT4?"), PlainWords("Où est-il, GPT4?"));
  EXPECT_EQ(CountWords("One two three."), 3u);
  EXPECT_EQ(CountWords("한국의 수도는 어디입니까?"), 3u);
  EXPECT_TRUE(WordParts(" ?!").empty());
}

TEST(WordParts, CharactersOfScriptsWithoutSpacesAreParts) {
  EXPECT_EQ(Texts("GPT4とは何?"), (std::vector<std::string>{"gpt4", "と", "は", "何"}));
  EXPECT_EQ(WordParts("何"), (std::vector<WordPart>{{"何", kOneWord / 2}}));
  EXPECT_EQ(WordParts("と"), (std::vector<WordPart>{{"と", kOneWord / 3}}));
  EXPECT_EQ(WordParts("ก"), (std::vector<WordPart>{{"ก", kOneWord / 5}}));
  EXPECT_EQ(WordParts("𠀀"), (std::vector<WordPart>{{"𠀀", kOneWord / 2}}));
  EXPECT_EQ(CountWords("这个回答很好。"), 3u);
  EXPECT_EQ(CountWords("很好"), 1u);
}

TEST(WordParts, BrokenUtf8IsPartOfAWord) { EXPECT_EQ(Texts("a\xe2\x80 \xff"), PlainWords("a\xe2\x80 \xff")); }

/// `count` different characters from `first` on, in UTF-8 of three bytes.
std::string Characters(uint32_t first, uint32_t count) {
  std::string text;
  for (uint32_t c = first; c < first + count; ++c) {
    text += static_cast<char>(0xe0 | c >> 12U);
    text += static_cast<char>(0x80 | (c >> 6U & 0x3fU));
    text += static_cast<char>(0x80 | (c & 0x3fU));
  }
  return text;
}

TEST(OverlapOfScriptsWithoutSpaces, TakesAsManyCharactersAsMakeThirteenWords) {
  const struct {
    uint32_t first;
    uint32_t needed;
  } scripts[] = {{0x4e00, 26}, {0x3041, 39}, {0x0e01, 65}};
  for (const auto& [first, needed] : scripts) {
    OverlapIndex index;
    index.Add("乙" + Characters(first, needed) + "甲", "a");
    const auto found = index.Find("丙丁" + Characters(first, needed) + "戊");
    ASSERT_TRUE(found) << first;
    EXPECT_FALSE(found->same);
    EXPECT_FALSE(index.Find("丙丁" + Characters(first, needed - 1) + "戊")) << first;
    EXPECT_FALSE(index.Find("丙丁" + Characters(first + 1, needed - 1) + "戊")) << first;
  }
}

TEST(OverlapOfScriptsWithoutSpaces, ACommonPhraseIsNone) {
  OverlapIndex index;
  index.Add("日本の歴史についてわかりやすく説明してください。", "a");
  EXPECT_FALSE(index.Find("中国の経済についてわかりやすく説明してください。"));
  EXPECT_TRUE(index.Find("日本の歴史について、わかりやすく説明してください"));
}

TEST(OverlapOfScriptsWithoutSpaces, WordsAndCharactersMakeARunTogether) {
  OverlapIndex index;
  const std::string run = "one two three four five six seven " + Characters(0x4e00, 12);
  index.Add("zero " + run + "甲", "a");
  EXPECT_TRUE(index.Find("none " + run + "乙"));
  EXPECT_FALSE(index.Find("none two three four five six seven " + Characters(0x4e00, 12) + "乙"));
}

}  // namespace
}  // namespace srlm::data
