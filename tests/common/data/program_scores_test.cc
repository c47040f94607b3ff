#include "common/data/program_scores.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

using nlohmann::json;

ProgramScores Three() {
  ProgramScores scores;
  for (const char* id : {"a/0", "a/1", "b/0"}) scores.Expect(id);
  return scores;
}

TEST(ProgramScores, AreTakenInAnyOrderAndNullIsNoScore) {
  ProgramScores scores = Three();
  ASSERT_TRUE(scores.Take({{"id", "b/0"}, {"score", 5}, {"why", "ignored"}}).ok());
  ASSERT_TRUE(scores.Take({{"id", "a/0"}, {"score", 0.25}}).ok());
  EXPECT_FALSE(scores.CheckComplete().ok());
  ASSERT_TRUE(scores.Take({{"id", "a/1"}, {"score", nullptr}}).ok());
  EXPECT_TRUE(scores.CheckComplete().ok());
  EXPECT_EQ(scores.score(0), 0.25);
  EXPECT_EQ(scores.score(1), std::nullopt);
  EXPECT_EQ(scores.score(2), 5.0);
  EXPECT_EQ(scores.scored(), 2U);
}

TEST(ProgramScores, EveryOtherRowIsRefusedWithItsReason) {
  ProgramScores scores = Three();
  ASSERT_TRUE(scores.Take({{"id", "a/1"}, {"score", 1}}).ok());
  const std::pair<json, const char*> rows[] = {
      {{{"id", "a/1"}, {"score", 1}}, "has a score already"},
      {{{"id", "c/0"}, {"score", 1}}, "none of those"},
      {{{"id", 3}, {"score", 1}}, "no text"},
      {{{"score", 1}}, "\"id\" is missing"},
      {{{"id", "a/0"}}, "null stands for no score"},
      {{{"id", "a/0"}, {"score", -0.01}}, "score -0.01 is no number from 0 to 5"},
      {{{"id", "a/0"}, {"score", 5.01}}, "score 5.01 is no number"},
      {{{"id", "a/0"}, {"score", "4"}}, "score \"4\" is no number"},
      {{{"id", "a/0"}, {"score", true}}, "score true is no number"},
  };
  for (const auto& [row, words] : rows) ExpectContains(scores.Take(row).message(), words);
  ExpectContains(scores.CheckComplete().message(), "2 of 3 ids have no line, the first is \"a/0\"");
}

TEST(ProgramScores, TheProgramReadsATextOrTheMessages) {
  EXPECT_EQ(CandidateForProgram("p/0", PromptInput::FromUser("Hi"), "Yes").dump(),
            R"({"id":"p/0","prompt":"Hi","response":"Yes"})");
  EXPECT_EQ(CandidateForProgram("p/0", PromptInput::Raw("Once"), "upon")["prompt"], "Once");
  PromptInput several;
  several.messages = {{"user", "A"}, {"assistant", "B"}, {"user", "C"}};
  EXPECT_EQ(CandidateForProgram("p/0", several, "D")["prompt"].dump(),
            R"([{"role":"user","content":"A"},{"role":"assistant","content":"B"},{"role":"user","content":"C"}])");
}

}  // namespace
}  // namespace srlm::data
