#include "common/data/verdict.h"

#include <gtest/gtest.h>

#include <string>

namespace srlm::data {
namespace {

constexpr int kAbsent = -1;
constexpr int kOut = -2;

struct Case {
  const char* judgement;
  int expected;  // a score, kAbsent or kOut
};

void ExpectVerdict(const Case& each) {
  const Verdict verdict = ParseVerdict(each.judgement);
  const int found = verdict.state == VerdictState::kParsed   ? verdict.score.value_or(-9)
                    : verdict.state == VerdictState::kAbsent ? kAbsent
                                                             : kOut;
  EXPECT_EQ(found, each.expected) << "'" << each.judgement << "'";
  EXPECT_EQ(verdict.score.has_value(), verdict.state == VerdictState::kParsed) << each.judgement;
}

TEST(Verdict, PlainForms) {
  const Case cases[] = {
      {"Score: 0", 0},
      {"Score: 5", 5},
      {"Good and clear.\nScore: 3", 3},
      {"Good.\nScore: 3\n", 3},
      {"Score:4", 4},
      {"score: 4", 4},
      {"SCORE: 4", 4},
      {"Score : 4", 4},
      {"Score:   4.", 4},
      {"Total score: 4", 4},
      {"Score: 4, since it is clear.", 4},
      {"Score: 4 points", 4},
      {"Score: 4 - clear and useful", 4},
      {"Score: 4; done", 4},
      {"Score = 4", 4},
      {"Score - 4", 4},
      {"Score \xE2\x80\x93 4", 4},
      {"Score\xEF\xBC\x9A"
       "4",
       4},
      {"Score: +4", 4},
      {"Score: 4.0", 4},
      {"Score: 04", 4},
      {"Score: 4\r\nbye", 4},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, MarkdownBracketsAndQuotes) {
  const Case cases[] = {
      {"**Score:** 4", 4},   {"**Score: 4**", 4}, {"**Score**: 4", 4}, {"Score: **4**", 4}, {"Score: **4/5**", 4},
      {"Score: **4**/5", 4}, {"*Score:* _4_", 4}, {"__Score__: 4", 4}, {"### Score: 4", 4}, {"- Score: 4", 4},
      {"`Score: 4`", 4},     {"Score: `4`", 4},   {"Score: \"4\"", 4}, {"\"Score: 4\"", 4}, {"Score: [4]", 4},
      {"Score: [[4]]", 4},   {"Score: <4>", 4},   {"Score: (4)", 4},   {"Score: $4$", 4},   {"> Score: 4", 4},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, TheScaleMayBeNamed) {
  const Case cases[] = {
      {"Score: 4/5", 4},          {"Score: 4 / 5", 4},          {"Score: 4/5.", 4},
      {"Score: 4 out of 5", 4},   {"Score: 4 out of 5.", 4},    {"Score (0-5): 4", 4},
      {"Score (out of 5): 4", 4}, {"Score out of 5: 4", 4},     {"**Score (of 5):** 4", 4},
      {"Score: 4/10", kOut},      {"Score: 4 out of 10", kOut}, {"Score: 4/50", kOut},
      {"Score: 4/5.5", kOut},     {"Score: 40/50", kOut},       {"Score: 0/5", 0},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, OutOfRangeIsNeverAScore) {
  const Case cases[] = {
      {"Score: 6", kOut},
      {"Score: 45", kOut},
      {"Score: -1", kOut},
      {"Score -4", kAbsent},
      {"Score: 4.5", kOut},
      {"Score: 4,5", kOut},
      {"Score: 3-4", kOut},
      {"Score: 3 - 4", kOut},
      {"Score: 3 to 4", kOut},
      {"Score: 3 or 4", kOut},
      {"Score: 1+1+1", kOut},
      {"Score: 1 + 1 = 2", kOut},
      {"Score: 4th", kOut},
      {"Score: 4%", kOut},
      {"Score: 100", kOut},
      {"Score: 4.05", kOut},
      {"Score: 99999999999999999999999999", kOut},
      {"Score: \xE2\x88\x92"
       "2",
       kOut},
      {"Score: 3\xE2\x80\x93"
       "4",
       kOut},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, AbsentWithoutANumber) {
  const Case cases[] = {
      {"", kAbsent},
      {"4", kAbsent},
      {"Score", kAbsent},
      {"Score:", kAbsent},
      {"Score: ", kAbsent},
      {"Score: four", kAbsent},
      {"Score: <total points>", kAbsent},
      {"A score of 4 would be fair.", kAbsent},
      {"Scores: 4", kAbsent},
      {"Underscore: 4", kAbsent},
      {"Rating: 4", kAbsent},
      {"It scored: 4", kAbsent},
      {"Score: the answer has 3 parts", kAbsent},
      {"Score: N/A", kAbsent},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, TheLastMatchCounts) {
  const Case cases[] = {
      {"Score: 2 at first.\nScore: 4", 4},
      {"The answer says \"Score: 5\", which is no verdict.\nScore: 1", 1},
      {"Score: 3\nScore: 7", kOut},
      {"Score: 3\nScore: 4.5", kOut},
      {"Score: 3\nScore: <total points>", 3},
      {"Score: 3. I gave this score: clear.", 3},
      {"Score: 7\nScore: 3", 3},
      {"Score: 1 Score: 2 Score: 3", 3},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, ANumberOnTheNextLineNeedsItForItself) {
  const Case cases[] = {
      {"Score:\n4", 4},
      {"## Score:\n\n**4**\n", 4},
      {"Score:\n4/5", 4},
      {"Score:\n1. It is on the subject.\n2. ...", kAbsent},
      {"Score:\n4 points were given", kAbsent},
      {"Score: 2\nScore:\n1. It is on the subject", 2},
  };
  for (const Case& each : cases) ExpectVerdict(each);
}

TEST(Verdict, LongAndBrokenTextIsReadInLinearTime) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "score: ";
  EXPECT_EQ(ParseVerdict(text).state, VerdictState::kAbsent);
  EXPECT_EQ(ParseVerdict(std::string("\0Score: \0", 9)).state, VerdictState::kAbsent);
  EXPECT_EQ(ParseVerdict("\xff\xfeScore: 4\xff").score, 4);
}

TEST(Verdict, ItsPlaceIsFoundWithScaleAndMarks) {
  const auto found_in = [](std::string_view text) {
    const FoundVerdict found = FindVerdict(text);
    return std::string(text.substr(found.begin, found.end - found.begin));
  };
  EXPECT_EQ(found_in("Good. **Score:** 4/5 and more"), "Score:** 4/5");
  EXPECT_EQ(found_in("Score: 1, but then (Score: 3)."), "Score: 3)");
  EXPECT_EQ(found_in("Score:\n**4**\nend"), "Score:\n**4**");
  EXPECT_EQ(found_in("Score: 3 - 4 or 5, I think"), "Score: 3 - 4 or 5");
  EXPECT_EQ(found_in("Score: 4.5 out of 10 points"), "Score: 4.5 out of 10");
  EXPECT_EQ(found_in("No score: none"), "");
}

TEST(Verdict, StatesHaveNames) {
  for (const VerdictState state : {VerdictState::kParsed, VerdictState::kAbsent, VerdictState::kOutOfRange})
    EXPECT_EQ(VerdictStateFromName(VerdictStateName(state)), state);
  EXPECT_EQ(VerdictStateFromName("other"), std::nullopt);
}

}  // namespace
}  // namespace srlm::data
