#include "common/text/special_text.h"

#include <gtest/gtest.h>

namespace srlm::text {
namespace {

const std::vector<std::string> kSpecial = {"<a>", "<<a>", "é!", "|"};

HiddenMessages Hide(const std::string& content, std::string_view source = "") {
  const std::vector<Message> messages = {{"user", content}};
  auto hidden = HideSpecialTokens(messages, kSpecial, source);
  EXPECT_TRUE(hidden.ok()) << hidden.status().message();
  return hidden.ok() ? *hidden : HiddenMessages{};
}

std::string Content(const HiddenMessages& hidden) { return hidden.messages.at(0).content; }

TEST(HideSpecialTokens, LeavesTextWithoutThemAlone) {
  const HiddenMessages hidden = Hide("<b> e! < a> ünï");
  EXPECT_EQ(Content(hidden), "<b> e! < a> ünï");
  EXPECT_TRUE(hidden.stand_ins.empty());
}

TEST(HideSpecialTokens, ReplacesTheFirstCharacterOfEachAndOfThoseInside) {
  const HiddenMessages hidden = Hide("x<<a>é!|");
  EXPECT_EQ(Content(hidden), "x\uE000\uE000a>\uE001!\uE002");
  ASSERT_EQ(hidden.stand_ins.size(), 3u);
  EXPECT_EQ(hidden.stand_ins[0].original, U'<');
  EXPECT_EQ(hidden.stand_ins[0].stand_in, U'\uE000');
}

TEST(HideSpecialTokens, NeverUsesACharacterOfTheMessagesOrTheTemplate) {
  const HiddenMessages hidden = Hide("\uE000<a>", "{{ '\uE001' }}");
  EXPECT_EQ(Content(hidden), "\uE000\uE002a>");
}

TEST(HideSpecialTokens, HidesThemInRolesToo) {
  const std::vector<Message> messages = {{"us<a>er", "hi"}};
  EXPECT_EQ(HideSpecialTokens(messages, kSpecial, "")->messages[0].role, "us\uE000a>er");
}

TEST(HideSpecialTokens, RefusesTextsThatUseEveryPrivateUseCharacter) {
  std::string all = "<a>";
  for (int code = 0xE000; code <= 0xF8FF; ++code) {
    all += {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
  }
  const std::vector<Message> messages = {{"user", all}};
  auto hidden = HideSpecialTokens(messages, kSpecial, "");
  ASSERT_FALSE(hidden.ok());
  EXPECT_NE(hidden.status().message().find("special_tokens_in_text: parse"), std::string::npos);
}

}  // namespace
}  // namespace srlm::text
