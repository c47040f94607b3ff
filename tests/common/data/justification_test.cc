#include "common/data/justification.h"

#include <gtest/gtest.h>

namespace srlm::data {
namespace {

TEST(Justification, TheScoreLineLeaves) {
  EXPECT_EQ(TakeJustification("The answer is on the subject.\nIt is short.\nScore: 4", false).text,
            "The answer is on the subject.\nIt is short.");
  EXPECT_EQ(TakeJustification("\n  Good and complete answer.\n\n**Score:** 4/5\n", false).text,
            "Good and complete answer.");
  EXPECT_EQ(TakeJustification("Score: 3\nIt misses the point.", false).text, "It misses the point.");
}

TEST(Justification, ACutTextEndsWithItsLastWholeSentence) {
  EXPECT_EQ(TakeJustification("It is right. It names version 2.5 of the tool. It does not say wh", true).text,
            "It is right. It names version 2.5 of the tool.");
  EXPECT_EQ(TakeJustification("It is right and it is whole but it", true).wrong, "justification_cut");
  EXPECT_EQ(TakeJustification("It is right and it is whole but it", false).text, "It is right and it is whole but it");
}

TEST(Justification, NothingToTeachIsSaidWhy) {
  EXPECT_EQ(TakeJustification("", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("Score: 4", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("Good.", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("It is a good answer\nScore:\n4", false).wrong, "score_inside");
}

TEST(Justification, TheQuestionHasTheScoreAndBothTexts) {
  const std::string question = AskForJustification("Why {3}?", "Because.", 3);
  EXPECT_NE(question.find("gave it 3 of 5 points"), std::string::npos);
  EXPECT_NE(question.find("<instruction>\nWhy {3}?\n</instruction>"), std::string::npos);
  EXPECT_NE(question.find("<response>\nBecause.\n</response>"), std::string::npos);
}

}  // namespace
}  // namespace srlm::data
