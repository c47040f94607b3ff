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

TEST(Justification, WhatElseItsLineSaysStays) {
  const auto text_of = [](const char* judgement) { return TakeJustification(judgement, false).text; };
  EXPECT_EQ(text_of("no yes yes no yes Score: 3"), "no yes yes no yes");
  EXPECT_EQ(text_of("The answer is right and short. **Score: 4/5**"), "The answer is right and short.");
  EXPECT_EQ(text_of("It is good, **Score:** 3. It also names the rivers."), "It is good. It also names the rivers.");
  EXPECT_EQ(text_of("Score: 2 - The answer misses the point."), "The answer misses the point.");
  EXPECT_EQ(text_of("Score: 4. It is right.\nIt is short."), "It is right.\nIt is short.");
  EXPECT_EQ(text_of("The answer is of use (Score: 3/5)."), "The answer is of use.");
  EXPECT_EQ(text_of("It is good enough for most, Score: 4 out of 10"), "It is good enough for most");
  EXPECT_EQ(text_of("It has all that was asked, Score: 4.5!"), "It has all that was asked!");
}

TEST(Justification, ALabelLeavesWithItsScore) {
  const auto text_of = [](const char* judgement) { return TakeJustification(judgement, false).text; };
  EXPECT_EQ(text_of("It is on the subject.\n- Relevance score: 1\n## My total score: 4"), "It is on the subject.");
  EXPECT_EQ(text_of("It is on the subject. Overall score: 4"), "It is on the subject.");
  EXPECT_EQ(text_of("It is on the subject.\n1. Score: 4\nIt is short."), "It is on the subject.\nIt is short.");
  EXPECT_EQ(text_of("It is a good answer\nScore:\n4"), "It is a good answer");
}

TEST(Justification, AGivenOneMaySayItsOwnScoreAlone) {
  EXPECT_EQ(CheckJustification("Fine. Score: 3", 4).wrong, "score_inside");
  EXPECT_EQ(CheckJustification("Fine. Score: 9", 4).wrong, "score_inside");
  EXPECT_EQ(CheckJustification("It is a fine answer.\nScore: 4", 4).text, "It is a fine answer.");
  EXPECT_EQ(CheckJustification("Fine.", 4).text, "Fine.");
  EXPECT_EQ(CheckJustification(" As it is\n", 4).text, " As it is\n");
  EXPECT_TRUE(CheckJustification("", 4).wrong.empty());
}

TEST(Justification, ACutTextEndsWithItsLastWholeSentence) {
  EXPECT_EQ(TakeJustification("It is right. It names version 2.5 of the tool. It does not say wh", true).text,
            "It is right. It names version 2.5 of the tool.");
  EXPECT_EQ(TakeJustification("It is right and it is whole but it", true).wrong, "justification_cut");
  EXPECT_EQ(TakeJustification("It is right and it is whole but it", false).text, "It is right and it is whole but it");
}

TEST(Justification, WordsAreCountedWithoutSpacesToo) {
  EXPECT_EQ(TakeJustification("这个回答很好。\nScore: 4", false).text, "这个回答很好。");
  EXPECT_EQ(TakeJustification("很好。\nScore: 4", false).wrong, "no_justification");
}

TEST(Justification, NothingToTeachIsSaidWhy) {
  EXPECT_EQ(TakeJustification("", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("Score: 4", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("Good.", false).wrong, "no_justification");
  EXPECT_EQ(TakeJustification("Final score: 4\nRelevance: Score: 1", false).wrong, "no_justification");
}

TEST(Justification, TheQuestionHasTheScoreAndBothTexts) {
  const std::string question = AskForJustification("Why {3}?", "Because.", 3);
  EXPECT_NE(question.find("gave it 3 of 5 points"), std::string::npos);
  EXPECT_NE(question.find("<instruction>\nWhy {3}?\n</instruction>"), std::string::npos);
  EXPECT_NE(question.find("<response>\nBecause.\n</response>"), std::string::npos);
}

}  // namespace
}  // namespace srlm::data
