#include "common/data/prompt_filters.h"

#include <gtest/gtest.h>

namespace srlm::data {
namespace {

PromptFilterOptions PaperOptions() {
  PromptFilterOptions options;
  options.blacklist = {"image", "images", "graph", "graphs", "picture", "pictures", "file",
                       "files", "map",    "maps",  "draw",   "plot",    "go to"};
  return options;
}

PromptVerdict Check(std::string_view prompt, bool cut = false) {
  return PromptFilter(PaperOptions()).Check(prompt, cut).verdict;
}

TEST(PromptFilter, EachRuleHasItsReason) {
  EXPECT_EQ(Check("Explain how rain forms in clouds."), PromptVerdict::kAccepted);
  EXPECT_EQ(Check("Explain how rain forms in", true), PromptVerdict::kCut);
  EXPECT_EQ(Check(" \n"), PromptVerdict::kEmpty);
  EXPECT_EQ(Check("Explain rain forming"), PromptVerdict::kTooShort);
  EXPECT_EQ(Check("Explain rain forming now"), PromptVerdict::kAccepted);
  EXPECT_EQ(Check("Write a program that sorts numbers"), PromptVerdict::kWriteAProgram);
  EXPECT_EQ(Check("write a  Program: that sorts numbers"), PromptVerdict::kWriteAProgram);
  EXPECT_EQ(Check("Write a programme for the festival"), PromptVerdict::kAccepted);
  EXPECT_EQ(Check("- explain how rain forms"), PromptVerdict::kLeadingPunctuation);
  EXPECT_EQ(Check("\xC3\x89"
                  "crire un texte sur la pluie"),
            PromptVerdict::kNonAsciiStart);
}

TEST(PromptFilter, WordsAreCountedAtBothEnds) {
  std::string text = "word";
  for (int i = 1; i < 150; ++i) text += " word";
  EXPECT_EQ(Check(text), PromptVerdict::kAccepted);
  EXPECT_EQ(Check(text + " more"), PromptVerdict::kTooLong);
}

TEST(PromptFilter, TheBlacklistMatchesWholeWordsInAnyCase) {
  EXPECT_EQ(Check("Draw me a sheep please"), PromptVerdict::kBlacklisted);
  EXPECT_EQ(Check("Describe the (graph) of a function"), PromptVerdict::kBlacklisted);
  EXPECT_EQ(Check("Where do we Go  to, my lovely?"), PromptVerdict::kBlacklisted);
  EXPECT_EQ(Check("Describe the paragraph about drawing maple trees"), PromptVerdict::kAccepted);
  EXPECT_EQ(Check("Where does the tango go together"), PromptVerdict::kAccepted);
  EXPECT_EQ(PromptFilter(PaperOptions()).Check("Please list all my files", false).detail, "files");
}

TEST(PromptFilter, NearDuplicatesOfKnownPromptsAreOut) {
  PromptFilter filter(PaperOptions());
  filter.Add("Explain how rain forms in the clouds.");
  const PromptCheck near = filter.Check("Explain how snow forms in the clouds.", false);
  EXPECT_EQ(near.verdict, PromptVerdict::kTooSimilar);
  EXPECT_NEAR(near.nearest_rouge, 6.0 / 7, 1e-12);
  EXPECT_NE(near.detail.find("Explain how rain forms"), std::string::npos);
  EXPECT_EQ(filter.Check("Explain why cats purr at night.", false).verdict, PromptVerdict::kAccepted);
}

TEST(PromptFilter, TheSamePromptButForCasePunctuationAndSpacesIsADuplicate) {
  PromptFilter filter({.min_words = 1, .max_words = 100, .rouge_l_max = 1, .blacklist = {}});
  filter.Add("Explain how rain forms.");
  filter.Add("Explain HOW rain forms!");
  filter.Add("a \xe6\xb2\xb3\xe6\xb5\x81");  // with one token of ROUGE
  const PromptCheck same = filter.Check("explain how -- rain forms?", false);
  EXPECT_EQ(same.verdict, PromptVerdict::kDuplicate);
  EXPECT_EQ(same.detail, "the same as: Explain how rain forms.");
  EXPECT_EQ(filter.Check("explain how rains form?", false).verdict, PromptVerdict::kAccepted);
  EXPECT_EQ(filter.Check("A \xe6\xb2\xb3\xe6\xb5\x81!", false).verdict, PromptVerdict::kDuplicate);
  EXPECT_EQ(filter.Check("a \xe6\xb5\xb7\xe6\xb4\x8b", false).verdict, PromptVerdict::kAccepted);
}

TEST(PromptFilter, APromptThatModelsAreMeasuredOnIsOutAndNamed) {
  PromptFilter filter(PaperOptions());
  filter.AddEvaluation("Explain how a lighthouse keeper once kept the lamp burning through a long winter storm.",
                       "data.evaluation, prompt 'r1'");
  const PromptCheck same =
      filter.Check("explain how a lighthouse keeper once kept the lamp burning, through a long winter storm!", false);
  EXPECT_EQ(same.verdict, PromptVerdict::kOverlapsEvaluation);
  EXPECT_EQ(PromptVerdictName(same.verdict), "overlaps_evaluation");
  EXPECT_EQ(same.detail, "the same as data.evaluation, prompt 'r1'");
  // 13 words in a row, in a text that is otherwise another one; 12 are not too many.
  const std::string more = " and why nobody in the village ever thanked him for any of it in all those years";
  EXPECT_EQ(
      filter.Check("Say how a lighthouse keeper once kept the lamp burning through a long winter" + more, false).detail,
      "13 words in a row as in data.evaluation, prompt 'r1'");
  EXPECT_EQ(filter.Check("Say how the lighthouse keeper once kept the lamp burning through a long winter" + more, false)
                .verdict,
            PromptVerdict::kAccepted);
  // It is no known prompt: what is only near it passes.
  EXPECT_EQ(
      filter.Check("Explain how a lighthouse keeper kept the lamp burning through a winter storm.", false).verdict,
      PromptVerdict::kAccepted);
}

TEST(PromptFilter, SimilarityExactlyAtTheLimitPasses) {
  PromptFilter filter({.min_words = 1, .max_words = 100, .rouge_l_max = 0.5, .blacklist = {}});
  filter.Add("a b");
  EXPECT_EQ(filter.Check("a c", false).verdict, PromptVerdict::kAccepted);
  EXPECT_EQ(filter.Check("a b c", false).verdict, PromptVerdict::kTooSimilar);
}

TEST(PromptFilter, EveryVerdictHasItsOwnName) {
  for (int i = 0; i <= static_cast<int>(PromptVerdict::kTooSimilar); ++i)
    for (int j = 0; j < i; ++j)
      EXPECT_NE(PromptVerdictName(static_cast<PromptVerdict>(i)), PromptVerdictName(static_cast<PromptVerdict>(j)));
}

}  // namespace
}  // namespace srlm::data
