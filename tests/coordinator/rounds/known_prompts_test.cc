// Which texts of a run's files a new prompt must differ from.
#include "coordinator/rounds/known_prompts.h"

#include <gtest/gtest.h>

namespace srlm::rounds {
namespace {

using data::PromptVerdict;

class KnownPromptsTest : public testing::Test {
 protected:
  KnownPromptsTest() {
    inputs_.seeds = {"Seed: say how tea is made."};
    inputs_.given = {{"g1", data::PromptInput::FromUser("Given: say how bread is made.")},
                     {"g2", Talk("Given first: why do cats purr?", "Given then: and why do dogs bark?")}};
    inputs_.ranked = {{"r1", "Ranked: name a cold river.", "", "a", 0, 1},
                      {"r1", "Ranked: name a cold river.", "", "b", 1, 2}};
    inputs_.evaluation_prompts = {{"e1", Talk("Evaluated: write me an ode.", "Evaluated then: to the sea.")}};
    inputs_.validation_prompts = {{"v1", data::PromptInput::FromUser("Validated: add seven and nine.")}};
    inputs_.held_out = {{"h1", data::PromptInput::FromUser("Held out: where is Oslo?"), "", {}, {}}};
  }
  static data::PromptInput Talk(const std::string& first, const std::string& then) {
    data::PromptInput input;
    input.messages = {{"system", "Be kind."}, {"user", first}, {"assistant", "Yes?"}, {"user", then}};
    return input;
  }
  data::PromptCheck Check(const std::string& text) {
    data::PromptFilter filter({.min_words = 1, .max_words = 100, .rouge_l_max = 0.99, .blacklist = {}});
    KnownPrompts known(config_, inputs_, filter);
    EXPECT_TRUE(known.AddSome(Deadline::AfterSeconds(60)));
    return filter.Check(text, false);
  }

  config::RunConfig config_;
  Inputs inputs_;
};

TEST_F(KnownPromptsTest, WhatModelsAreMeasuredOnIsNamedByItsKeyAndRow) {
  const std::pair<const char*, const char*> overlaps[] = {
      {"ranked: name a cold river", "data.evaluation, prompt 'r1'"},
      {"Evaluated: write me an ode!", "data.evaluation_prompts, prompt 'e1'"},
      {"Evaluated: write me an ode. Evaluated then: to the sea.", "data.evaluation_prompts, prompt 'e1'"},
      {"validated, add seven and nine", "data.validation_prompts, prompt 'v1'"},
      {"Held out: where is Oslo", "data.held_out, answer 'h1'"}};
  for (const auto& [text, origin] : overlaps) {
    const data::PromptCheck check = Check(text);
    EXPECT_EQ(check.verdict, PromptVerdict::kOverlapsEvaluation) << text;
    EXPECT_EQ(check.detail, std::string("the same as ") + origin);
  }
  config_.evaluation.allow_overlap = true;
  for (const auto& [text, origin] : overlaps) EXPECT_EQ(Check(text).verdict, PromptVerdict::kAccepted) << text;
}

TEST_F(KnownPromptsTest, GivenPromptsAreKnownWhereRoundsTakeThem) {
  for (const char* text : {"Given: say how BREAD is made!", "given first: why do cats purr"}) {
    config_.prompts.new_per_round = config_.prompts.per_round - 1;
    EXPECT_EQ(Check(text).verdict, PromptVerdict::kDuplicate) << text;
    config_.prompts.new_per_round = config_.prompts.per_round;
    EXPECT_EQ(Check(text).verdict, PromptVerdict::kAccepted) << text;
  }
  EXPECT_EQ(Check("seed, say how tea is made").verdict, PromptVerdict::kDuplicate);
  EXPECT_EQ(Check("Say how wood is cut.").verdict, PromptVerdict::kAccepted);
}

TEST_F(KnownPromptsTest, SomeAreAddedAtATimeAndEachOnce) {
  inputs_.seeds.assign(50000, "The same again and again, of so many words.");
  data::PromptFilter filter({});
  KnownPrompts known(config_, inputs_, filter);
  EXPECT_FALSE(known.AddSome(Deadline::After(std::chrono::nanoseconds(0))));
  EXPECT_EQ(filter.Check(inputs_.seeds[0], false).verdict, PromptVerdict::kAccepted);
  int slices = 1;
  while (!known.AddSome(Deadline::After(std::chrono::milliseconds(1)))) ++slices;
  EXPECT_GT(slices, 1);
  EXPECT_EQ(filter.Check(inputs_.seeds[0], false).verdict, PromptVerdict::kDuplicate);
  EXPECT_TRUE(known.AddSome(Deadline::After(std::chrono::nanoseconds(0))));
}

}  // namespace
}  // namespace srlm::rounds
