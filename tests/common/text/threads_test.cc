// One Chat serves many threads at once.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "common/text/chat.h"
#include "tests/common/text/model_folder.h"

namespace srlm::text {
namespace {

TEST(ChatThreads, ManyThreadsGetTheTokensOfOne) {
  auto chat = Chat::Load(ModelFolder(), "", SpecialTokensInText::kText);
  ASSERT_TRUE(chat.ok()) << chat.status().message();
  constexpr int kThreads = 4;
  constexpr int kTexts = 200;
  const auto message_of = [](int i) {
    return std::vector<Message>{{"user", "Question " + std::to_string(i * 7919) + " <|im_end|> über 雨 "}};
  };
  std::vector<std::vector<int>> expected;
  for (int i = 0; i < kTexts; ++i) expected.push_back(*(*chat)->PromptTokens(message_of(i)));
  std::vector<int> wrong(kThreads, 0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kTexts; ++i) {
          const auto ids = (*chat)->PromptTokens(message_of(i));
          wrong[t] += !ids.ok() || *ids != expected[i];
        }
      });
    }
  }
  EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
}

}  // namespace
}  // namespace srlm::text
