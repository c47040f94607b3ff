#include "coordinator/prepare/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/data/seed_split.h"

namespace srlm::prepare {
namespace {

using data::SourcePrompt;

/// A detector whose languages the texts say themselves.
Result<std::string> SaidLanguage(std::string_view text) {
  return std::string(text.find("auf Deutsch") != std::string_view::npos ? "de" : "en");
}

SourcePrompt Ranked(const std::string& id, const std::string& text) {
  return {id, text, {{id + "-worse", "A worse answer to " + id, 0.1}, {id + "-best", "The best answer to " + id, 0.9}}};
}

/// `count` ranked prompts of the training part, or of the other, with nothing in common.
std::vector<SourcePrompt> Prompts(bool training, size_t count) {
  std::vector<SourcePrompt> prompts;
  for (int i = 0; prompts.size() < count; ++i) {
    const std::string id = "id" + std::to_string(i);
    if (data::IsTrainingPrompt(id) == training) prompts.push_back(Ranked(id, "What about number " + std::to_string(i)));
  }
  return prompts;
}

class Selecting : public testing::Test {
 protected:
  Selection Run() {
    auto selection = Select(options_, std::move(inputs_), SaidLanguage);
    EXPECT_TRUE(selection.ok());
    return *selection;
  }
  static int64_t Count(const Selection& selection, const std::string& stage, const std::string& reason) {
    return std::ranges::count_if(selection.rejects, [&](const data::Reject& reject) {
      return reject.stage == stage && reject.reason == reason;
    });
  }

  Options options_;
  Inputs inputs_{{}, {}, {}, {}, {}, data::OverlapIndex()};
};

TEST_F(Selecting, EveryPromptIsInOnePlaceAlone) {
  inputs_.prompts = Prompts(true, 40);
  std::ranges::move(Prompts(false, 10), std::back_inserter(inputs_.prompts));
  const Selection selection = Run();
  std::multiset<std::string> ids;
  for (const auto& row : selection.ift) ids.insert(row["prompt_id"].get<std::string>());
  for (const SourcePrompt& prompt : selection.lessons) ids.insert(prompt.prompt_id);
  for (const SourcePrompt& prompt : selection.evaluation) ids.insert(prompt.prompt_id);
  EXPECT_EQ(ids.size(), 50u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 50u);
  EXPECT_EQ(selection.evaluation.size(), 10u);
  EXPECT_GT(selection.ift.size(), 10u);
  EXPECT_GT(selection.lessons.size(), 10u);
  EXPECT_TRUE(selection.rejects.empty());
}

TEST_F(Selecting, IftHasTheBestAnswer) {
  options_.eft_share = 0;
  inputs_.prompts = Prompts(true, 1);
  const Selection selection = Run();
  ASSERT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(selection.ift[0]["messages"][1]["content"],
            "The best answer to " + std::string(selection.ift[0]["prompt_id"]));
}

TEST_F(Selecting, WhatIsNotEnglishLeaves) {
  options_.eft_share = 0;
  inputs_.prompts = Prompts(true, 6);
  inputs_.prompts[0].prompt = "Sag mir etwas auf Deutsch";
  inputs_.prompts[1].answers[1].response = "Gern, ich sage es dir sofort ganz auf Deutsch";
  inputs_.prompts[4].answers[1].response = "Gern auf Deutsch";  // too short to tell, as a number or a name is
  inputs_.prompts[5].answers[1].response = "```\nint a = 1; // auf Deutsch, b, c, d, e, f, g\n```";
  inputs_.prompts[2].prompt = "Hallo";  // too short to tell: its answer does
  inputs_.prompts[2].answers[0].response = "Antwort auf Deutsch";
  auto again = inputs_;
  const Selection selection = Run();
  EXPECT_EQ(selection.ift.size(), 3u);
  EXPECT_EQ(Count(selection, "prompt", "not_english"), 2);
  EXPECT_EQ(Count(selection, "ift", "answer_not_english"), 1);
  options_.any_language = true;
  inputs_ = again;
  EXPECT_EQ(Run().ift.size(), 6u);
}

TEST_F(Selecting, TrainingPromptsThatOverlapWithEvaluationLeave) {
  options_.eft_share = 0;
  inputs_.prompts = Prompts(true, 3);
  inputs_.prompts.push_back(Prompts(false, 1)[0]);
  inputs_.prompts[3].prompt = "a b c d e f g h i j k l m of the evaluation part";
  inputs_.prompts[0].prompt = "Now a b c d e f g h i j k l m";
  inputs_.prompts[1].prompt = "In an evaluation FILE!";
  inputs_.evaluation.Add("in an evaluation file", "a file");
  const Selection selection = Run();
  EXPECT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(Count(selection, "prompt", "overlaps_evaluation"), 2);
}

TEST_F(Selecting, LessonsThatOverlapWithIftLeave) {
  inputs_.prompts = Prompts(true, 40);
  for (size_t i = 0; i < inputs_.prompts.size(); ++i)
    inputs_.prompts[i].prompt =
        std::to_string(i) + " of one two three four five six seven eight nine ten eleven twelve";
  const Selection selection = Run();
  EXPECT_GT(selection.ift.size(), 10u);
  EXPECT_TRUE(selection.lessons.empty());
  EXPECT_EQ(Count(selection, "eft", "overlaps_ift"), static_cast<int64_t>(40 - selection.ift.size()));
}

TEST_F(Selecting, TheSamePromptAgainLeaves) {
  inputs_.prompts = Prompts(true, 2);
  inputs_.prompts[1].prompt = inputs_.prompts[0].prompt + "!";
  EXPECT_EQ(Count(Run(), "prompt", "duplicate_prompt"), 1);
}

ReadyRow Ift(const std::string& prompt, const std::string& where, const std::string& answer = "An answer") {
  return {.row = {{"messages", "of " + where}}, .prompt = prompt, .where = where, .answer = answer};
}

ReadyRow Eft(const std::string& prompt, const std::string& where, int score,
             const std::string& justification = "It is a plain answer.", const std::string& answer = "An answer") {
  ReadyRow row{.row = {{"justification", justification}, {"score", score}, {"where", where}},
               .prompt = prompt,
               .where = where,
               .answer = answer};
  row.justification = justification;
  row.score = score;
  return row;
}

TEST_F(Selecting, ReadyMadeIftTakesAllPlacesAndIsCheckedToo) {
  inputs_.prompts = Prompts(true, 5);
  inputs_.ift.push_back(Ift(inputs_.prompts[0].prompt, "ift.jsonl:1"));
  inputs_.ift.push_back(Ift("in an evaluation file", "ift.jsonl:2"));
  inputs_.evaluation.Add("in an evaluation file", "a file");
  const Selection selection = Run();
  ASSERT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(selection.ift[0]["messages"], "of ift.jsonl:1");
  EXPECT_EQ(Count(selection, "ift", "overlaps_evaluation"), 1);
  EXPECT_EQ(selection.lessons.size(), 4u);
  EXPECT_EQ(Count(selection, "eft", "overlaps_ift"), 1);
}

TEST_F(Selecting, PromptsOfReadyMadeEftAreKeptOutOfIft) {
  inputs_.prompts = Prompts(true, 5);
  const std::string taken = inputs_.prompts[1].prompt_id;
  inputs_.eft.push_back(Eft(inputs_.prompts[1].prompt, "eft.jsonl:1", 4));
  inputs_.eft.push_back(Eft(inputs_.prompts[1].prompt, "eft.jsonl:2", 2, "It is a plain answer.", "Another"));
  const Selection selection = Run();
  EXPECT_EQ(selection.eft.size(), 2u);
  EXPECT_EQ(selection.ift.size(), 4u);
  EXPECT_TRUE(selection.lessons.empty());
  EXPECT_EQ(Count(selection, "ift", "overlaps_eft"), 1);
  for (const auto& row : selection.ift) EXPECT_NE(row["prompt_id"], taken);
}

TEST_F(Selecting, OfReadyMadeRowsOfBothKindsIftHasThePrompt) {
  inputs_.ift.push_back(Ift("What is asked in both?", "ift.jsonl:1"));
  inputs_.eft.push_back(Eft("What is asked in both?", "eft.jsonl:1", 4));
  inputs_.eft.push_back(Eft("What is asked here alone?", "eft.jsonl:2", 2));
  const Selection selection = Run();
  EXPECT_EQ(selection.ift.size(), 1u);
  ASSERT_EQ(selection.eft.size(), 1u);
  EXPECT_EQ(selection.eft[0]["where"], "eft.jsonl:2");
  EXPECT_EQ(Count(selection, "eft", "overlaps_ift"), 1);
}

TEST_F(Selecting, ReadyMadeIftIsCheckedAsMadeRowsAre) {
  inputs_.ift.push_back(Ift("What is this first one?", "ift.jsonl:1"));
  inputs_.ift.push_back(Ift("What is this first one?!", "ift.jsonl:2"));
  inputs_.ift.push_back(Ift("Was ist das auf Deutsch?", "ift.jsonl:3"));
  inputs_.ift.push_back(Ift("What is this fourth one?", "ift.jsonl:4", "Das ist nun ein langer Satz ganz auf Deutsch"));
  inputs_.ift.push_back(Ift("What is this fifth one?", "ift.jsonl:5"));
  inputs_.ift.back().first_turn = false;
  inputs_.ift.back().later_prompts = {"in an evaluation file"};
  auto again = inputs_;
  const Selection selection = Run();
  EXPECT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(Count(selection, "ift", "duplicate_prompt"), 1);
  EXPECT_EQ(Count(selection, "ift", "not_english"), 1);
  EXPECT_EQ(Count(selection, "ift", "answer_not_english"), 1);
  EXPECT_EQ(Count(selection, "ift", "not_first_turn"), 1);
  EXPECT_EQ(selection.rejects[0].prompt_id, "ift.jsonl:2");
  EXPECT_EQ(selection.rejects[0].detail, "as ift.jsonl:1");

  options_.keep_given = true;
  inputs_ = again;
  EXPECT_EQ(Run().ift.size(), 5u);
  inputs_ = again;
  inputs_.evaluation.Add("in an evaluation file", "a file");  // what is asked later counts, too
  EXPECT_EQ(Count(Run(), "ift", "overlaps_evaluation"), 1);
}

TEST_F(Selecting, ReadyMadeEftIsCheckedAsMadeRowsAre) {
  inputs_.eft.push_back(Eft("What is asked here?", "eft.jsonl:1", 4, "It is a plain answer.\nScore: 4"));
  inputs_.eft.push_back(Eft("What is asked here?", "eft.jsonl:2", 3, "It is another one.", "Another answer"));
  inputs_.eft.push_back(Eft("What is asked here?", "eft.jsonl:3", 2, "It is the first again."));
  inputs_.eft.push_back(Eft("What is asked now?", "eft.jsonl:4", 4, "Fine. Score: 3"));
  inputs_.eft.push_back(Eft("Was ist das auf Deutsch?", "eft.jsonl:5", 1));
  inputs_.eft.push_back(Eft("What is asked then?", "eft.jsonl:6", 1, "Das ist gut auf Deutsch"));
  inputs_.eft.push_back(Eft("What is asked last?", "eft.jsonl:7", 0, ""));
  auto again = inputs_;
  const Selection selection = Run();
  ASSERT_EQ(selection.eft.size(), 3u);
  EXPECT_EQ(selection.eft[0]["justification"], "It is a plain answer.");
  EXPECT_EQ(Count(selection, "eft", "same_answer"), 1);
  EXPECT_EQ(Count(selection, "eft", "score_inside"), 1);
  EXPECT_EQ(Count(selection, "eft", "not_english"), 1);
  EXPECT_EQ(Count(selection, "eft", "justification_not_english"), 1);

  options_.keep_given = true;
  inputs_ = again;
  const Selection kept = Run();
  EXPECT_EQ(kept.eft.size(), 7u);
  EXPECT_EQ(kept.eft[0]["justification"], "It is a plain answer.\nScore: 4");
}

TEST_F(Selecting, ReadyMadeEftIsBalanced) {
  for (int i = 0; i < 8; ++i)
    inputs_.eft.push_back(Eft("What is number " + std::to_string(i), "eft.jsonl:" + std::to_string(i), i < 6 ? 4 : 2));
  inputs_.prompts = Prompts(true, 1);
  inputs_.prompts[0].prompt = "What is number 0";
  auto again = inputs_;
  const Selection selection = Run();
  EXPECT_EQ(selection.eft.size(), 4u);
  EXPECT_EQ(Count(selection, "eft", "balance"), 4);
  EXPECT_EQ(selection.scores_before, (data::ScoreHistogram{0, 0, 2, 0, 6, 0}));
  EXPECT_EQ(selection.scores_after, (data::ScoreHistogram{0, 0, 2, 0, 2, 0}));
  options_.balance = false;
  inputs_ = again;
  EXPECT_EQ(Run().eft.size(), 8u);
  options_.balance = true;
  options_.keep_given = true;
  inputs_ = again;
  EXPECT_EQ(Run().eft.size(), 8u);
}

TEST_F(Selecting, APromptWithASystemMessageIsForIftAlone) {
  options_.eft_share = 1;
  inputs_.prompts = Prompts(true, 2);
  inputs_.prompts.push_back(Prompts(false, 1)[0]);
  inputs_.prompts[0].system = "Be brief.";
  inputs_.prompts[2].system = "Be brief.";
  const Selection selection = Run();
  ASSERT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(selection.ift[0]["messages"][0], (nlohmann::ordered_json{{"role", "system"}, {"content", "Be brief."}}));
  EXPECT_EQ(selection.ift[0]["messages"][1]["role"], "user");
  EXPECT_EQ(selection.lessons.size(), 1u);
  EXPECT_TRUE(selection.evaluation.empty());
  EXPECT_EQ(Count(selection, "evaluation", "system_message"), 1);
}

TEST_F(Selecting, UnrankedPromptsServeIftWhenOneAnswerIsTheBest) {
  options_.eft_share = 1;
  inputs_.prompts = Prompts(true, 3);
  inputs_.prompts[0].answers.pop_back();
  for (auto& answer : inputs_.prompts[1].answers) answer.quality.reset();
  const Selection selection = Run();
  EXPECT_EQ(selection.ift.size(), 1u);
  EXPECT_EQ(Count(selection, "ift", "no_best_answer"), 1);
  EXPECT_EQ(selection.lessons.size(), 1u);
}

}  // namespace
}  // namespace srlm::prepare
