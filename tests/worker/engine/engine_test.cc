// The engine on tiny models: the same values as transformers, and the same samples whatever the schedule.
#include "worker/engine/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/model/model_config.h"
#include "worker/engine/kv_cache.h"

namespace srlm::worker {
namespace {

std::string Reference(const std::string& path) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/" + path;
}
std::string TinyModel() { return Reference("models/llama3"); }

std::unique_ptr<Engine> MakeEngine(const std::string& folder, const EngineOptions& options = {}) {
  auto engine = Engine::Create(folder, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return std::move(engine).value();
}

std::map<uint64_t, Response> RunAll(Engine& engine) {
  std::map<uint64_t, Response> responses;
  for (int step = 0; engine.HasWork(); ++step) {
    if (step == 20000) {
      ADD_FAILURE() << "the engine does not come to an end";
      return responses;
    }
    EXPECT_TRUE(engine.Step().ok());
    for (Response& response : engine.TakeFinished()) responses[response.id] = std::move(response);
  }
  for (Response& response : engine.TakeFinished()) responses[response.id] = std::move(response);
  return responses;
}

std::vector<int> Tokens(uint64_t seed, int count) {
  const RandomStream stream(seed, {});
  std::vector<int> tokens(static_cast<size_t>(count));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int>(stream.Below(i, 320));
  return tokens;
}

Request Sampling(uint64_t id, std::vector<int> prompt, int samples, int max_new_tokens) {
  SampleWork work;
  for (int i = 0; i < samples; ++i) work.streams.push_back(RandomStream(5, {id, static_cast<uint64_t>(i)}));
  work.max_new_tokens = max_new_tokens;
  work.stop_token_ids = {2, 17};
  return {id, std::move(prompt), work};
}

/// The request without stop tokens.
Request Endless(Request request) {
  std::get<SampleWork>(request.work).stop_token_ids.clear();
  return request;
}

/// A mixed load: prompts of many lengths, some with a long common prefix, samples, choices and scores.
std::vector<Request> Load() {
  std::vector<Request> requests;
  const auto common = Tokens(99, 70);
  for (uint64_t id = 0; id < 24; ++id) {
    auto prompt = Tokens(id, 3 + static_cast<int>(id) * 5);
    if (id % 3 == 0) prompt.insert(prompt.begin(), common.begin(), common.end());
    if (id % 6 == 4) {
      requests.push_back({id, prompt, ChooseWork{{5, 6, 7}}});
    } else if (id % 6 == 5) {
      requests.push_back({id, prompt, ScoreWork{Tokens(id + 50, 20)}});
    } else {
      requests.push_back(Sampling(id, prompt, 1 + static_cast<int>(id % 4), 24));
    }
  }
  return requests;
}

void ExpectSame(const std::map<uint64_t, Response>& a, const std::map<uint64_t, Response>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [id, response] : a) {
    const Response& other = b.at(id);
    ASSERT_TRUE(response.status.ok()) << response.status.message();
    ASSERT_TRUE(other.status.ok()) << other.status.message();
    ASSERT_EQ(response.samples.size(), other.samples.size());
    for (size_t i = 0; i < response.samples.size(); ++i) {
      EXPECT_EQ(response.samples[i].token_ids, other.samples[i].token_ids) << id;
      EXPECT_EQ(response.samples[i].token_logprobs, other.samples[i].token_logprobs) << id;
      EXPECT_EQ(response.samples[i].finish_reason, other.samples[i].finish_reason) << id;
    }
    EXPECT_EQ(response.choice_logprobs, other.choice_logprobs) << id;
    EXPECT_EQ(response.token_logprobs, other.token_logprobs) << id;
  }
}

int64_t CountTokens(const std::map<uint64_t, Response>& responses) {
  int64_t tokens = 0;
  for (const auto& [id, response] : responses) {
    for (const Sample& sample : response.samples) tokens += static_cast<int64_t>(sample.token_ids.size());
  }
  return tokens;
}

std::map<uint64_t, Response> OneByOne(const std::vector<Request>& requests, const std::string& folder = TinyModel()) {
  EngineOptions options;
  options.share_prefixes = false;
  options.prefill_chunk_tokens = 1024;
  auto engine = MakeEngine(folder, options);
  std::map<uint64_t, Response> responses;
  for (const Request& request : requests) {
    engine->Submit(request);
    responses.merge(RunAll(*engine));
  }
  return responses;
}

class Family : public testing::TestWithParam<const char*> {};

TEST_P(Family, LogitsEqualThoseOfTransformers) {
  std::ifstream file(Reference(std::string("data/logits_") + GetParam() + ".json"));
  const auto reference = nlohmann::json::parse(file);
  auto engine = MakeEngine(Reference(std::string("models/") + GetParam()));
  const auto tokens = reference["token_ids"].get<std::vector<int>>();
  std::vector<int> all(static_cast<size_t>(engine->vocabulary_size()));
  std::iota(all.begin(), all.end(), 0);
  for (size_t i = 0; i < reference["positions"].size(); ++i) {
    const int position = reference["positions"][i];
    engine->Submit({i, {tokens.begin(), tokens.begin() + position + 1}, ChooseWork{all}});
  }
  for (const auto& [id, response] : RunAll(*engine)) {
    const auto logits = reference["logits"][id].get<std::vector<double>>();
    double total = 0;
    for (const double logit : logits) total += std::exp(logit);
    ASSERT_EQ(response.choice_logprobs.size(), logits.size());
    for (size_t t = 0; t < logits.size(); ++t) {
      ASSERT_NEAR(response.choice_logprobs[t], logits[t] - std::log(total), 1e-4) << "token " << t;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Tiny, Family,
                         testing::Values("llama2", "llama3", "mistral", "smollm2", "linear", "sharded", "bfloat16",
                                         "mistral_window", "qwen2", "qwen2_window", "qwen3", "gemma3", "gemma3_new"));

TEST(Engine, AResultIsBitIdenticalAloneAndInAnyBatch) {
  const auto requests = Load();
  const auto alone = OneByOne(requests);
  for (const int threads : {1, 2}) {
    for (const int chunk : {7, 64, 512}) {
      for (const int max_batch : {4, 64}) {
        EngineOptions options;
        options.compute.threads = threads;
        options.prefill_chunk_tokens = chunk;
        options.max_batch = max_batch;
        auto engine = MakeEngine(TinyModel(), options);
        for (const Request& request : requests) engine->Submit(request);
        ExpectSame(alone, RunAll(*engine));
      }
    }
  }
}

TEST(Engine, LayersThatSeeAWindowGiveTheSameBitsInAnyBatchToo) {
  for (const std::string& folder : {Reference("models/gemma3"), Reference("models/mistral_window")}) {
    const auto requests = Load();
    const auto alone = OneByOne(requests, folder);
    for (const int chunk : {7, 64}) {
      EngineOptions options;
      options.compute.threads = 2;
      options.prefill_chunk_tokens = chunk;
      auto engine = MakeEngine(folder, options);
      for (const Request& request : requests) engine->Submit(request);
      ExpectSame(alone, RunAll(*engine));
    }
  }
}

/// Bytes of a cache of `pages` pages of TinyModel.
int64_t Pages(int pages) {
  const auto config = model::ReadModelConfig(TinyModel());
  return KvCache::PageBytes(*config, 16) * pages;
}

TEST(Engine, ASmallCacheOnlyCostsTime) {
  const auto requests = Load();
  const auto alone = OneByOne(requests);
  int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
  for (const int pages : {14, 16, 20, 40, 400}) {  // the longest sequence takes 13
    EngineOptions options;
    options.kv_cache_bytes = Pages(pages);
    auto engine = MakeEngine(TinyModel(), options);
    for (const Request& request : requests) engine->Submit(request);
    ExpectSame(alone, RunAll(*engine));
    EXPECT_EQ(engine->stats().generated_tokens, CountTokens(alone)) << "no token is sampled twice";
    least = std::min(least, engine->stats().prefilled_tokens);
    most = std::max(most, engine->stats().prefilled_tokens);
  }
  EXPECT_GT(most, least) << "the small caches were not small: no sequence had to give way";
}

TEST(Engine, SamplesThatDoNotFitTogetherAreMadeOneAfterTheOther) {
  // A prompt of two pages and a bit; each sample needs a page of its own, and one more at its end.
  const Request request = Endless(Sampling(1, Tokens(1, 40), 6, 30));
  const auto alone = OneByOne({request});
  for (const int pages : {5, 6, 9}) {
    EngineOptions options;
    options.kv_cache_bytes = Pages(pages);
    auto engine = MakeEngine(TinyModel(), options);
    engine->Submit(request);
    ExpectSame(alone, RunAll(*engine));
  }
}

TEST(Engine, MoreSamplesThanTheBatchAndTheCacheHoldAreMadeInTurn) {
  const Request request = Sampling(1, Tokens(1, 33), 300, 3);
  const auto alone = OneByOne({request});
  EngineOptions options;
  options.kv_cache_bytes = Pages(12);
  options.max_batch = 16;
  auto engine = MakeEngine(TinyModel(), options);
  engine->Submit(request);
  ExpectSame(alone, RunAll(*engine));
}

TEST(Engine, AWarmCacheChangesNothing) {
  const auto requests = Load();
  auto engine = MakeEngine(TinyModel());
  for (const Request& request : requests) engine->Submit(request);
  const auto cold = RunAll(*engine);
  const int64_t computed = engine->stats().prefilled_tokens;
  for (const Request& request : requests) engine->Submit(request);
  ExpectSame(cold, RunAll(*engine));
  EXPECT_LT(engine->stats().prefilled_tokens - computed, computed / 2);
}

TEST(Engine, APromptIsComputedOnceForAllItsSamples) {
  auto engine = MakeEngine(TinyModel());
  engine->Submit(Sampling(1, Tokens(1, 50), 8, 10));
  RunAll(*engine);
  EXPECT_EQ(engine->stats().prefilled_tokens, 50);
}

TEST(Engine, ACommonPrefixIsComputedOnceEvenWhenAllComeAtOnce) {
  auto engine = MakeEngine(TinyModel());
  const auto common = Tokens(3, 160);
  for (uint64_t id = 0; id < 10; ++id) {
    auto prompt = common;
    const auto rest = Tokens(id, 8);
    prompt.insert(prompt.end(), rest.begin(), rest.end());
    engine->Submit(Sampling(id, prompt, 2, 4));
  }
  RunAll(*engine);
  EXPECT_EQ(engine->stats().prefilled_tokens, 160 + 10 * 8);
  EXPECT_EQ(engine->stats().prompt_tokens, 10 * 168);
}

TEST(Engine, RecordedLogProbabilitiesEqualThoseOfScoring) {
  auto engine = MakeEngine(TinyModel());
  const auto prompt = Tokens(4, 21);
  engine->Submit(Sampling(1, prompt, 1, 30));
  const Sample sample = RunAll(*engine).at(1).samples[0];
  engine->Submit({2, prompt, ScoreWork{sample.token_ids}});
  const auto scored = RunAll(*engine).at(2).token_logprobs;
  ASSERT_EQ(scored.size(), sample.token_ids.size());
  for (size_t i = 0; i < scored.size(); ++i) EXPECT_EQ(scored[i], sample.token_logprobs[i]);
}

TEST(Engine, ASampleEndsAtItsStopTokenOrItsLength) {
  auto engine = MakeEngine(TinyModel());
  for (uint64_t id = 0; id < 20; ++id) engine->Submit(Sampling(id, Tokens(id, 5), 4, 40));
  int stopped = 0;
  for (const auto& [id, response] : RunAll(*engine)) {
    for (const Sample& sample : response.samples) {
      const bool stop = sample.token_ids.back() == 2 || sample.token_ids.back() == 17;
      EXPECT_EQ(sample.finish_reason == FinishReason::kStop, stop);
      EXPECT_TRUE(stop || sample.token_ids.size() == 40u);
      stopped += stop ? 1 : 0;
    }
  }
  EXPECT_GT(stopped, 0);
}

TEST(Engine, WhatCannotFitIsAnsweredWithItsReasonAndTheRestGoesOn) {
  auto engine = MakeEngine(TinyModel());
  engine->Submit(Sampling(1, Tokens(1, engine->context_tokens()), 1, 4));
  engine->Submit(Sampling(2, {}, 1, 4));
  engine->Submit(Sampling(3, {5, 100000}, 1, 4));
  engine->Submit(Sampling(4, Tokens(4, 8), 1, 4));
  const auto responses = RunAll(*engine);
  EXPECT_NE(responses.at(1).status.message().find("context"), std::string::npos);
  EXPECT_NE(responses.at(2).status.message().find("no token"), std::string::npos);
  EXPECT_NE(responses.at(3).status.message().find("100000"), std::string::npos);
  EXPECT_TRUE(responses.at(4).status.ok());
}

TEST(Engine, TokensOutsideTheVocabularyAreRefusedWhereverTheyStand) {
  auto engine = MakeEngine(TinyModel());
  const int vocabulary = engine->vocabulary_size();
  engine->Submit({1, {5, 6}, ScoreWork{{7, 2000000000}}});
  engine->Submit({2, {5, 6}, ScoreWork{{vocabulary}}});
  engine->Submit({3, {5, 6}, ScoreWork{{-1, 7}}});
  engine->Submit({4, {5, 6}, ChooseWork{{7, vocabulary}}});
  engine->Submit({5, {5, 6}, ChooseWork{{-1}}});
  engine->Submit({6, {5, vocabulary}, ChooseWork{{7}}});
  engine->Submit({7, {5, 6}, ScoreWork{{7, vocabulary - 1}}});
  engine->Submit({8, {5, 6}, ChooseWork{{0, vocabulary - 1}}});
  const auto responses = RunAll(*engine);
  for (uint64_t id = 1; id <= 6; ++id) {
    EXPECT_EQ(responses.at(id).status.code(), Code::kInvalidArgument) << id;
    EXPECT_NE(responses.at(id).status.message().find("vocabulary"), std::string::npos) << id;
  }
  EXPECT_TRUE(responses.at(7).status.ok() && responses.at(8).status.ok());
}

TEST(Engine, ACancelledRequestGivesItsPagesBackAndTheOthersGoOn) {
  const auto requests = Load();
  const auto alone = OneByOne(requests);
  EngineOptions options;
  options.kv_cache_bytes = Pages(20);
  auto engine = MakeEngine(TinyModel(), options);
  for (const Request& request : requests) engine->Submit(request);
  for (int step = 0; step < 10; ++step) ASSERT_TRUE(engine->Step().ok());
  std::map<uint64_t, Response> wanted = alone;
  std::map<uint64_t, Response> responses;
  for (Response& response : engine->TakeFinished()) responses[response.id] = std::move(response);
  for (uint64_t id = 0; id < requests.size(); id += 2) {
    const bool finished = responses.contains(id);
    EXPECT_EQ(engine->Cancel(id), !finished) << id;
    if (!finished) wanted.erase(id);
  }
  EXPECT_FALSE(engine->Cancel(1000));
  responses.merge(RunAll(*engine));
  ExpectSame(wanted, responses);
  engine->Submit(Endless(Sampling(77, Tokens(77, 300), 1, 20)));  // takes all 20 pages
  EXPECT_TRUE(RunAll(*engine).at(77).status.ok()) << "a page is missing";
}

TEST(Engine, WeightsThatGiveNoNumbersAreAnError) {
  const std::string folder = testing::TempDir() + "/not_finite";
  std::filesystem::remove_all(folder);
  std::filesystem::copy(TinyModel(), folder, std::filesystem::copy_options::recursive);
  std::fstream weights(folder + "/model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  weights.seekp(-64, std::ios::end);
  const float not_a_number = std::nanf("");
  weights.write(reinterpret_cast<const char*>(&not_a_number), sizeof not_a_number);
  weights.close();
  auto engine = MakeEngine(folder);
  engine->Submit(Sampling(1, Tokens(1, 5), 2, 4));
  engine->Submit({2, Tokens(2, 5), ChooseWork{{5, 6}}});
  engine->Submit({3, Tokens(3, 5), ScoreWork{{5, 6}}});
  for (const auto& [id, response] : RunAll(*engine)) {
    EXPECT_NE(response.status.message().find("not finite"), std::string::npos) << id << response.status.message();
  }
  std::filesystem::remove_all(folder);
}

TEST(Engine, LoadingSaysHowItAdvancesTensorByTensor) {
  int tensors = 0;
  ASSERT_TRUE(Engine::Create(TinyModel(), {}, [&] { ++tensors; }).ok());
  EXPECT_EQ(tensors, 3 + 2 * 9) << "embedding, final norm, head, and nine of each of two blocks";
}

TEST(Engine, ASequenceThatOutgrowsTheWholeCacheIsSetAside) {
  EngineOptions options;
  options.kv_cache_bytes = 1;  // one page of 16 tokens
  auto engine = MakeEngine(TinyModel(), options);
  engine->Submit(Endless(Sampling(1, Tokens(1, 10), 3, 100)));
  EXPECT_EQ(RunAll(*engine).at(1).status.code(), Code::kResourceExhausted);
}

TEST(Engine, SmolLm2LogProbabilitiesEqualThoseOfTransformers) {
  std::ifstream file(Reference("data/smollm2_logits.json"));
  const auto reference = nlohmann::json::parse(file);
  EngineOptions options;
  options.compute.threads = 2;
  auto engine = MakeEngine(std::getenv("SRLM_MODEL"), options);
  const auto& pairs = reference["pairs"];
  for (size_t i = 0; i < pairs.size(); ++i) {
    engine->Submit({i, pairs[i]["prompt_token_ids"].get<std::vector<int>>(),
                    ScoreWork{pairs[i]["token_ids"].get<std::vector<int>>()}});
  }
  for (const auto& [id, response] : RunAll(*engine)) {
    const auto wanted = pairs[id]["token_logprobs"].get<std::vector<double>>();
    ASSERT_EQ(response.token_logprobs.size(), wanted.size());
    for (size_t t = 0; t < wanted.size(); ++t) EXPECT_NEAR(response.token_logprobs[t], wanted[t], 2e-4);
  }
}

}  // namespace
}  // namespace srlm::worker
