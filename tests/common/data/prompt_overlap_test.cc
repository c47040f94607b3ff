#include "common/data/prompt_overlap.h"

#include <gtest/gtest.h>

#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

TEST(PromptOverlap, CasePunctuationAndSpacesDoNotTellTextsApart) {
  PromptOverlap known(13);
  known.Add("What is  the capital of France?", "prompt 1");
  EXPECT_EQ(known.Find("what is the CAPITAL of france"), "the same as prompt 1");
  EXPECT_FALSE(known.Find("What is the capital of Spain?"));
  EXPECT_FALSE(known.Find("What is the capital of France today?"));
}

TEST(PromptOverlap, ARunOfWordsInBothIsFoundWhereverItStands) {
  PromptOverlap known(5);
  known.Add("Please tell me: one two three four five, and six", "prompt 1");
  EXPECT_EQ(known.Find("Count one two three four five for me"), "5 words in a row as in prompt 1");
  EXPECT_FALSE(known.Find("Count one two three four FIVES for me"));
  EXPECT_FALSE(known.Find("one two three four"));
}

TEST(PromptOverlap, TextsWithoutWordsAreComparedAsTheyAre) {
  PromptOverlap known(13);
  known.Add("?!", "prompt 1");
  EXPECT_TRUE(known.Find("?!"));
  EXPECT_FALSE(known.Find("..."));
}

TEST(PromptTexts, EveryFormOfAPromptIsRead) {
  const TemporaryFolder folder;
  const auto texts = LoadPromptTexts(folder.Write("in.jsonl", R"({"turns": ["a", "b"]}
{"instruction": "c", "instances": []}
{"prompt_text": "d"}
{"messages": [{"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}]}
{"prompt": "g"})"));
  ASSERT_TRUE(texts.ok()) << texts.status().message();
  EXPECT_EQ(*texts, (std::vector<std::string>{"a", "b", "c", "d", "e", "g"}));
  ExpectContains(LoadPromptTexts(folder.Write("bad.jsonl", R"({"question": "a"})")).status().message(),
                 "bad.jsonl:1: 'prompt_text' is missing");
}

}  // namespace
}  // namespace srlm::data
