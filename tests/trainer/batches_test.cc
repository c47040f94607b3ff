#include <gtest/gtest.h>

#include <cmath>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>

#include "trainer/batches/mix_order.h"
#include "trainer/batches/pack.h"
#include "trainer/batches/plan.h"
#include "trainer/batches/tokenize.h"

namespace srlm::trainer {
namespace {

Sample SampleOf(size_t prompt, std::vector<size_t> responses) {
  Sample sample;
  for (size_t i = 0; i < prompt; ++i) sample.prompt.push_back(static_cast<int>(10 + i));
  int first = 100;
  for (const size_t length : responses) {
    sample.responses.emplace_back();
    for (size_t i = 0; i < length; ++i) sample.responses.back().push_back(first + static_cast<int>(i));
    first += 100;
  }
  return sample;
}

TEST(Pack, HoldsThePromptOnceAndEveryResponseWithoutItsLastToken) {
  const std::vector<Sample> samples = {SampleOf(3, {2, 3})};
  const size_t indices[] = {0};
  const Pack pack = MakePack(samples, indices);
  EXPECT_EQ(pack.tokens, (std::vector<int64_t>{10, 11, 12, 100, 200, 201}));
  EXPECT_EQ(pack.positions, (std::vector<int64_t>{0, 1, 2, 3, 3, 4}));
  EXPECT_EQ(pack.target_rows, (std::vector<int64_t>{2, 3, 2, 4, 5}));
  EXPECT_EQ(pack.target_tokens, (std::vector<int64_t>{100, 101, 200, 201, 202}));
  ASSERT_EQ(pack.segments.size(), 3u);
  EXPECT_EQ(pack.segments[2].begin, 4);
  EXPECT_EQ(pack.segments[2].prefix_count, 3);
  EXPECT_EQ(pack.size(), samples[0].packed_tokens());
}

TEST(Pack, OneResponseGoesOnInThePromptsSegment) {
  const std::vector<Sample> samples = {SampleOf(3, {4}), SampleOf(1, {1})};
  const size_t indices[] = {1, 0};
  const Pack pack = MakePack(samples, indices);
  ASSERT_EQ(pack.segments.size(), 2u);
  EXPECT_EQ(pack.segments[1].begin, 1);
  EXPECT_EQ(pack.segments[1].count, 6);
  EXPECT_EQ(pack.samples[0].sample, 1u);
}

TEST(DataOrder, TakesEverySampleOnceAnEpochInAnOrderOfItsOwn) {
  const DataOrder order = {.samples = 10, .global_batch = 4, .epochs = 2, .shuffle = true, .seed = 3};
  EXPECT_EQ(TotalSteps(order), 6);
  SampleOrder of_step(order);
  std::vector<std::vector<size_t>> epochs(2);
  for (int64_t step = 0; step < 6; ++step) {
    const auto samples = of_step.Step(step);
    EXPECT_EQ(samples.size(), step % 3 == 2 ? 2u : 4u);
    auto& epoch = epochs[static_cast<size_t>(step / 3)];
    epoch.insert(epoch.end(), samples.begin(), samples.end());
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (const auto& epoch : epochs) EXPECT_EQ(std::set<size_t>(epoch.begin(), epoch.end()).size(), 10u);
  // Any step can be asked for at any time.
  EXPECT_EQ(SampleOrder(order).Step(4), std::vector<size_t>(epochs[1].begin() + 4, epochs[1].begin() + 8));
  EXPECT_EQ(of_step.Step(1), std::vector<size_t>(epochs[0].begin() + 4, epochs[0].begin() + 8));
}

TEST(DataOrder, FollowsTheFileWithoutShuffleAndCountsStepsAsAsked) {
  DataOrder order = {.samples = 5, .global_batch = 2, .epochs = 0.5, .shuffle = false};
  EXPECT_EQ(SampleOrder(order).Step(1), (std::vector<size_t>{2, 3}));
  EXPECT_EQ(SampleOrder(order).Step(5), (std::vector<size_t>{4}));
  EXPECT_EQ(TotalSteps(order), 2);
  order.epochs = 0;
  EXPECT_EQ(TotalSteps(order), 0);
  EXPECT_TRUE(SampleOrder(order).AfterFirstStep().empty());
  order.max_steps = 7;
  EXPECT_EQ(TotalSteps(order), 7);
}

TEST(DataOrder, SaysWhichSamplesComeAfterTheFirstStep) {
  DataOrder order = {.samples = 10, .global_batch = 4, .epochs = 1, .shuffle = true, .seed = 3};
  for (const int64_t max_steps : {1, 2, 3, 4, 9}) {
    order.max_steps = max_steps;
    const std::vector<size_t> first = SampleOrder(order).Step(0);
    std::set<size_t> later;
    for (int64_t step = 1; step < max_steps; ++step) {
      for (const size_t sample : SampleOrder(order).Step(step)) later.insert(sample);
    }
    for (const size_t sample : first) later.erase(sample);
    const std::vector<size_t> said = SampleOrder(order).AfterFirstStep();
    EXPECT_EQ(std::set<size_t>(said.begin(), said.end()), later) << max_steps;
    EXPECT_EQ(said.size(), later.size());
  }
}

TEST(MixOrder, TakesTheShareOfAllPairsSoFarAndEveryRowOnceAnEpoch) {
  const DataOrder pairs = {.samples = 10, .global_batch = 4, .epochs = 3, .shuffle = true, .seed = 3};
  for (const double share : {0.0, 0.1, 0.5, 1.0, 3.0}) {
    const MixOptions options = {.rows = 7, .share = share, .seed = 3, .shuffle = true};
    MixOrder order(options, pairs);
    std::vector<size_t> all;
    const int64_t pairs_after[] = {4, 8, 10, 14, 18, 20, 24, 28, 30};
    for (int64_t step = 0; step < 9; ++step) {
      const std::vector<size_t> rows = order.Step(step);
      EXPECT_EQ(MixOrder(options, pairs).Step(step), rows);  // any step can be asked for at any time
      all.insert(all.end(), rows.begin(), rows.end());
      EXPECT_EQ(static_cast<int64_t>(all.size()), std::llround(share * static_cast<double>(pairs_after[step])));
    }
    for (size_t epoch = 0; (epoch + 1) * 7 <= all.size(); ++epoch) {
      const auto begin = all.begin() + static_cast<int64_t>(epoch * 7);
      EXPECT_EQ(std::set<size_t>(begin, begin + 7).size(), 7u);
    }
  }
  EXPECT_TRUE(MixOrder({.rows = 0, .share = 1}, pairs).Step(0).empty());
  MixOrder in_order({.rows = 3, .share = 1, .shuffle = false}, pairs);
  EXPECT_EQ(in_order.Step(1), (std::vector<size_t>{1, 2, 0, 1}));
}

TEST(PlanStep, SharesSamplesOutOnceWithinTheBudgetAndAsManyMicroBatchesForAll) {
  std::vector<Sample> samples;
  for (size_t i = 0; i < 17; ++i) samples.push_back(SampleOf(1 + i * 7 % 13, {1 + i % 5, 1 + i % 3}));
  std::vector<size_t> all(samples.size());
  std::iota(all.begin(), all.end(), size_t{0});
  for (const int ranks : {1, 2, 3, 4, 30}) {
    const StepPlan plan = PlanStep(samples, all, ranks, 24);
    std::multiset<size_t> seen;
    for (const auto& micro_batches : plan.ranks) {
      EXPECT_EQ(micro_batches.size(), plan.micro_batches());
      for (const auto& batch : micro_batches) {
        int64_t tokens = 0;
        for (const size_t index : batch) tokens += samples[index].packed_tokens();
        EXPECT_TRUE(tokens <= 24 || batch.size() == 1);
        seen.insert(batch.begin(), batch.end());
      }
    }
    EXPECT_EQ(seen.size(), all.size());
    EXPECT_EQ(std::set<size_t>(seen.begin(), seen.end()).size(), all.size());
  }
}

class TokenizeTest : public testing::Test {
 protected:
  TokenizeTest() {
    const std::string folder = std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/smollm2";
    auto chat = text::Chat::Load(folder, "", text::SpecialTokensInText::kText);
    SRLM_CHECK(chat.ok(), chat.status().message());
    chat_ = std::move(chat).value();
  }
  static data::SftRow Row(const std::string& prompt, const std::string& completion) {
    return {data::PromptInput::FromUser(prompt), completion, {}, {}};
  }
  Result<TokenizedData> Tokenize(std::vector<data::SftRow> rows, int64_t context_tokens) const {
    const RowsOfFile<data::SftRow> files[] = {{"rows.jsonl", std::move(rows)}};
    return TokenizeSft(files, *chat_, context_tokens, 320);
  }
  std::unique_ptr<text::Chat> chat_;
};

TEST_F(TokenizeTest, AResponseEndsWithTheEndOfTurnAndNothingAfterIt) {
  const std::vector<data::SftRow> rows = {Row("What is the sum?", "The sum is 42.")};
  const auto data = Tokenize(rows, 1024);
  ASSERT_TRUE(data.ok()) << data.status().message();
  EXPECT_EQ(data->samples[0].responses[0].back(), chat_->response_end_id());
  EXPECT_EQ(data->samples[0].prompt, *chat_->PromptTokens(rows[0].prompt.messages));
}

TEST_F(TokenizeTest, TokenIdsOfARowAreUsedAsTheyAreAndChecked) {
  std::vector<data::SftRow> rows = {Row("ignored", "ignored")};
  rows[0].prompt_token_ids = {5, 6};
  rows[0].completion_token_ids = {7};
  const auto data = Tokenize(rows, 1024);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->samples[0].prompt, (std::vector<int>{5, 6}));
  EXPECT_EQ(data->samples[0].responses[0], (std::vector<int>{7}));
  rows[0].completion_token_ids = {320};
  EXPECT_EQ(Tokenize(rows, 1024).status().message(),
            "row 1: the response has token id 320; the model's ids are 0 to 319");
  rows[0].line = 7;
  EXPECT_TRUE(Tokenize(rows, 1024).status().message().starts_with("rows.jsonl:7: "));
}

TEST_F(TokenizeTest, RowsBeyondTheContextAreLeftOutAndCounted) {
  const std::vector<data::SftRow> rows = {Row("short", "yes"), Row(std::string(4000, 'x'), "no")};
  const auto data = Tokenize(rows, 100);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->samples.size(), 1u);
  EXPECT_EQ(data->too_long, 1);
  EXPECT_TRUE(data->first_too_long.starts_with("row 2 has ")) << data->first_too_long;
  const auto none = Tokenize({rows[1]}, 100);
  EXPECT_EQ(none.status().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace srlm::trainer
