#include "common/text/language.h"

#include <gtest/gtest.h>

namespace srlm::text {
namespace {

std::string LanguageOf(std::string_view text) {
  static const auto detector = LanguageDetector::Load();
  EXPECT_TRUE(detector.ok());
  const auto language = (*detector)->Detect(text);
  EXPECT_TRUE(language.ok()) << language.status().message();
  return language.ok() ? *language : "";
}

TEST(LanguageDetector, ShortEnglishQuestionsAreEnglish) {
  for (const char* text : {"How to exit vim?", "What can you do?", "How are you?", "Explain how you work?",
                           "Who made Berlin", "Tell me a joke", "When was Einstein born?"})
    EXPECT_EQ(LanguageOf(text), "en") << text;
}

TEST(LanguageDetector, OtherLanguagesAreNot) {
  EXPECT_EQ(LanguageOf("Verstehst du mich? Wenn ja, dann antworte auf Deutsch."), "de");
  EXPECT_EQ(LanguageOf("¿Cuál es la capital de Francia?"), "es");
  EXPECT_EQ(LanguageOf("Quelle est la capitale de la France ?"), "fr");
  EXPECT_EQ(LanguageOf("Qual é a capital da França?"), "pt");
  for (const char* text :
       {"Как дела? Расскажи мне анекдот.", "什么是人工智能？", "Apa itu komputer?", "Vad är klockan?"})
    EXPECT_NE(LanguageOf(text), "en") << text;
}

TEST(LanguageDetector, ATextWithoutWordsHasNone) {
  EXPECT_EQ(LanguageOf("2+2?"), "");
  EXPECT_EQ(LanguageOf(""), "");
}

TEST(LanguageDetector, ALongTextIsToldByItsStartEvenWhenTheCutIsInsideACharacter) {
  std::string text = "The quick brown fox jumps over the lazy dog again and again. ";
  text += std::string(1023 - text.size(), 'a') + "é";  // its second byte is past the first kilobyte
  EXPECT_EQ(LanguageOf(text + std::string(5000, 'x')), "en");
}

TEST(LanguageDetector, BytesThatAreNotUtf8AreRefused) {
  const auto detector = LanguageDetector::Load();
  ASSERT_TRUE(detector.ok());
  EXPECT_NE((*detector)->Detect("abc\xff").status().message().find("not valid UTF-8 at byte 3"), std::string::npos);
}

}  // namespace
}  // namespace srlm::text
