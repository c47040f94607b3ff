#include "coordinator/prepare/lessons.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace srlm::prepare {
namespace {

using data::SourcePrompt;

/// Answers of `count` prompts: the text of each says its rank, 0 is the best.
std::vector<SourcePrompt> Prompts(int count, int answers) {
  std::vector<SourcePrompt> prompts;
  for (int i = 0; i < count; ++i) {
    SourcePrompt prompt{"p" + std::to_string(i), "Question " + std::to_string(i), {}};
    for (int rank = 0; rank < answers; ++rank)
      prompt.answers.push_back({"r" + std::to_string(rank), "answer of rank " + std::to_string(rank), -1.0 * rank});
    prompts.push_back(prompt);
  }
  return prompts;
}

/// Writes what a function says about a question's text, the sample and the question's id.
class FakeWriter : public Writer {
 public:
  using Say = std::function<std::string(const Question&, int)>;
  explicit FakeWriter(Say say) : say_(std::move(say)) {}
  Result<std::vector<std::vector<Written>>> Write(std::span<const Question> questions, int samples) override {
    std::vector<std::vector<Written>> all;
    for (const Question& question : questions) {
      all.emplace_back();
      for (int i = 0; i < samples; ++i) all.back().push_back({say_(question, i), false, ""});
    }
    asked += questions.size();
    return all;
  }
  size_t asked = 0;

 private:
  Say say_;
};

int RankIn(const std::string& text) { return text[text.find("answer of rank ") + 15] - '0'; }
std::string Judgement(int score) { return "The answer is like that.\nScore: " + std::to_string(score); }

Result<std::string> SaidLanguage(std::string_view text) {
  return std::string(text.find("auf Deutsch") != std::string_view::npos ? "de" : "en");
}

class MakingLessons : public testing::Test {
 protected:
  Lessons Make(const std::vector<SourcePrompt>& prompts, const FakeWriter::Say& say) {
    FakeWriter writer(say);
    auto lessons =
        MakeLessons(prompts, data::JudgeTemplate::BuiltIn(), options_, writer, SaidLanguage, [](const std::string&) {});
    EXPECT_TRUE(lessons.ok()) << lessons.status().message();
    asked_ = writer.asked;
    return *lessons;
  }
  static int64_t Count(const Lessons& lessons, const std::string& reason) {
    return std::ranges::count(lessons.rejects, reason, &data::Reject::reason);
  }
  Options options_;
  size_t asked_ = 0;
};

TEST_F(MakingLessons, TheModelsScoresAreTakenWhereTheyAgreeWithPeople) {
  options_.probe = 4;
  const Lessons lessons = Make(Prompts(3, 3), [](const Question& question, int) {
    const int rank = RankIn(question.text);
    if (question.id.starts_with("p1")) return Judgement(2 + rank);             // the other way round
    if (question.id.starts_with("p2") && rank == 1) return std::string("Hm");  // no score
    return Judgement(4 - rank);
  });
  EXPECT_EQ(lessons.origin, "sampled");
  EXPECT_EQ(asked_, 9u);  // the probe's judgements are not made again
  ASSERT_EQ(lessons.rows.size(), 3u);
  EXPECT_EQ(lessons.prompts, 1);
  EXPECT_EQ(lessons.rows[0]["prompt_id"], "p0");
  EXPECT_EQ(lessons.rows[0]["score"], 4);
  EXPECT_EQ(lessons.rows[0]["justification"], "The answer is like that.");
  EXPECT_EQ(lessons.rows[0]["origin"], "sampled");
  EXPECT_EQ(Count(lessons, "order_disagrees"), 1);
  EXPECT_EQ(Count(lessons, "unparsed"), 1);
}

TEST_F(MakingLessons, TheFirstTryThatAgreesIsTaken) {
  options_.tries = 3;
  const Lessons lessons = Make(Prompts(1, 2), [](const Question& question, int sample) {
    if (sample == 0) return Judgement(3);
    return Judgement(sample == 1 ? 5 - RankIn(question.text) : 1 - RankIn(question.text));
  });
  ASSERT_EQ(lessons.rows.size(), 2u);
  EXPECT_EQ(lessons.rows[0]["score"], 5);
  EXPECT_EQ(lessons.rows[1]["score"], 4);
}

TEST_F(MakingLessons, ATryWithAJustificationGoesBeforeOneWithout) {
  options_.tries = 3;
  const Lessons lessons = Make(Prompts(1, 2), [](const Question& question, int sample) {
    const int score = 4 - RankIn(question.text);
    if (sample == 0) return "Score: " + std::to_string(score);
    return sample == 1 ? "It is said on one line. Score: " + std::to_string(score) : Judgement(score);
  });
  ASSERT_EQ(lessons.rows.size(), 2u);
  EXPECT_EQ(lessons.rows[0]["justification"], "It is said on one line.");
  EXPECT_TRUE(lessons.rejects.empty());
}

TEST_F(MakingLessons, OfTriesThatLackAJustificationTheFullestIsTaken) {
  options_.tries = 3;
  options_.balance = false;
  const Lessons lessons = Make(Prompts(1, 3), [](const Question& question, int sample) {
    const int rank = RankIn(question.text);
    return rank > sample ? "Score: " + std::to_string(4 - rank) : Judgement(4 - rank);
  });
  EXPECT_EQ(lessons.rows.size(), 3u);
  options_.tries = 2;
  const Lessons fewer = Make(Prompts(1, 3), [](const Question& question, int sample) {
    const int rank = RankIn(question.text);
    return rank > sample ? "Score: " + std::to_string(4 - rank) : Judgement(4 - rank);
  });
  EXPECT_EQ(fewer.rows.size(), 2u);
  EXPECT_EQ(Count(fewer, "no_justification"), 1);
}

TEST_F(MakingLessons, AModelThatHardlyScoresJustifiesPeoplesScores) {
  options_.probe = 20;
  int judged = 0;
  const Lessons lessons = Make(Prompts(10, 3), [&](const Question& question, int) -> std::string {
    if (question.text.find("Write the reviewer's justification") == std::string::npos)
      return judged++ == 7 ? Judgement(3) : "I like it very much";  // 1 of 20 is below a tenth
    if (question.id == "p0/r1") return "No.";
    if (question.id == "p1/r1") return "Das ist auf Deutsch geschrieben.";
    return "It is as good as it is.\nScore: 1";
  });
  EXPECT_EQ(lessons.origin, "human");
  EXPECT_EQ(lessons.probe_texts, 20);
  EXPECT_EQ(lessons.probe_parsed, 1);
  EXPECT_EQ(Count(lessons, "no_justification"), 1);
  EXPECT_EQ(Count(lessons, "justification_not_english"), 1);
  EXPECT_EQ(lessons.before, (data::ScoreHistogram{10, 0, 0, 8, 0, 10}));
  ASSERT_EQ(lessons.rows.size(), 28u);
  EXPECT_EQ(lessons.rows[0]["score"], 5);
  EXPECT_EQ(lessons.rows[0]["justification"], "It is as good as it is.");
  EXPECT_EQ(lessons.rows[0]["origin"], "human");
}

TEST_F(MakingLessons, ATenthIsEnoughForTheModelsOwnScores) {
  options_.probe = 20;
  int judged = 0;
  const Lessons lessons = Make(Prompts(10, 2), [&](const Question& question, int) -> std::string {
    return judged++ < 2 ? Judgement(5 - RankIn(question.text)) : "I like it very much";
  });
  EXPECT_EQ(lessons.origin, "sampled");
  EXPECT_EQ(lessons.rows.size(), 2u);
}

TEST_F(MakingLessons, TheMostFrequentScoreIsCutDown) {
  options_.origin = "sampled";
  const auto say = [](const Question& question, int) {
    return Judgement(question.id.starts_with("p0") || RankIn(question.text) == 0 ? 4 - RankIn(question.text) : 1);
  };
  const Lessons lessons = Make(Prompts(6, 2), say);
  EXPECT_EQ(lessons.before, (data::ScoreHistogram{0, 5, 0, 1, 6, 0}));
  EXPECT_EQ(lessons.after, (data::ScoreHistogram{0, 5, 0, 1, 5, 0}));
  EXPECT_EQ(Count(lessons, "balance"), 1);
  options_.balance = false;
  EXPECT_EQ(Make(Prompts(6, 2), say).rows.size(), 12u);
}

TEST_F(MakingLessons, WithoutARowTheFirstTextsAreShown) {
  options_.origin = "sampled";
  const Lessons lessons = Make(Prompts(8, 2), [](const Question&, int) { return std::string("blah \"blah\""); });
  EXPECT_TRUE(lessons.rows.empty());
  EXPECT_EQ(Count(lessons, "unparsed"), 8);
  EXPECT_NE(WhyNoLesson(lessons).find("\n  \"blah \\\"blah\\\"\""), std::string::npos) << WhyNoLesson(lessons);
  EXPECT_EQ(lessons.first_texts.size(), 5u);
}

TEST_F(MakingLessons, WhatCannotBeWrittenIsLeftOutWithTheReason) {
  class Failing : public Writer {
    Result<std::vector<std::vector<Written>>> Write(std::span<const Question> questions, int) override {
      std::vector<std::vector<Written>> all(questions.size(), {{"It is a fine answer.", false, ""}});
      all[0][0] = {"", false, "too long"};
      return all;
    }
  } writer;
  options_.origin = "human";
  const auto lessons = MakeLessons(Prompts(1, 2), data::JudgeTemplate::BuiltIn(), options_, writer, SaidLanguage,
                                   [](const std::string&) {});
  ASSERT_TRUE(lessons.ok());
  EXPECT_EQ(lessons->rows.size(), 1u);
  ASSERT_EQ(lessons->rejects.size(), 1u);
  EXPECT_EQ(lessons->rejects[0].reason, "not_written");
  EXPECT_EQ(lessons->rejects[0].detail, "too long");
}

}  // namespace
}  // namespace srlm::prepare
