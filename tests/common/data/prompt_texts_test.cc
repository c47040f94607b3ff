#include "common/data/prompt_texts.h"

#include <gtest/gtest.h>

#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

TEST(PromptTexts, CasePunctuationAndSpacesDoNotTellPromptsApart) {
  EXPECT_EQ(NormalisedPrompt("What is  the capital of France?"), "what is the capital of france");
  EXPECT_EQ(NormalisedPrompt("?!"), "?!");
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
