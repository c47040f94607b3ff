// The engine on a device: through the library that srlm-worker opens, with the processor as the device.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/device/plugin.h"
#include "tests/worker/engine/engine_runs.h"

namespace srlm::worker {
namespace {

const device::Device& HostDevice() {
  static const device::Device taken = [] {
    const char* const other = std::getenv("SRLM_TEST_PLUGIN");  // tests/gpu: a real device's
    setenv("SRLM_DEVICE_PLUGIN", other == nullptr ? HOST_DEVICE : other, 1);
    setenv("SRLM_HOST_DEVICE_NAME", ("engine-" + std::to_string(getpid())).c_str(), 1);
    auto device = device::TakeDevice({});
    EXPECT_TRUE(device.ok()) << device.status().message();
    return std::move(device).value();
  }();
  return taken;
}

EngineOptions OnDevice(NumberType numbers = NumberType::kFloat32) {
  EngineOptions options;
  options.compute.device = &HostDevice();
  options.compute.numbers = numbers;
  return options;
}

/// What transformers gave for a tiny model (tests/reference/make_tiny_models.py).
nlohmann::json Reference(const std::string& model) {
  std::ifstream file(std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/data/logits_" + model + ".json");
  return nlohmann::json::parse(file);
}

/// The largest difference of any token's log-probability from transformers', after every prefix that the reference has.
double LargestDifference(const std::string& model, const EngineOptions& options) {
  const auto reference = Reference(model);
  const auto tokens = reference["token_ids"].get<std::vector<int>>();
  std::vector<int> all(reference["logits"][0].size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<Request> requests;
  for (size_t i = 0; i < reference["positions"].size(); ++i) {
    const int position = reference["positions"][i];
    requests.push_back({i, {tokens.begin(), tokens.begin() + position + 1}, ChooseWork{all}});
  }
  double largest = 0;
  const Responses responses = AnswersOf(Model(model), options, requests);
  EXPECT_EQ(responses.size(), requests.size());
  for (const auto& [id, response] : responses) {
    EXPECT_TRUE(response.status.ok()) << response.status.message();
    const auto logits = reference["logits"][id].get<std::vector<double>>();
    double total = 0;
    for (const double logit : logits) total += std::exp(logit);
    for (size_t t = 0; t < logits.size(); ++t) {
      largest = std::max(largest, std::abs(response.choice_logprobs[t] - (logits[t] - std::log(total))));
    }
  }
  return largest;
}

class AtenFamily : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, AtenFamily,
                         testing::Values("llama2", "llama3", "mistral", "smollm2", "linear", "sharded", "bfloat16",
                                         "mistral_window", "qwen2", "qwen2_window", "qwen3", "gemma3", "gemma3_new"));

TEST_P(AtenFamily, LogitsEqualThoseOfTransformers) { EXPECT_LT(LargestDifference(GetParam(), OnDevice()), 1e-4); }

TEST_P(AtenFamily, BFloat16StaysNear) {
  EXPECT_LT(LargestDifference(GetParam(), OnDevice(NumberType::kBFloat16)), 0.25);
}

// Chunks of prompts, shared prefixes, pages given up and copied, decoding in batches: all as on the processor.
TEST_P(AtenFamily, AnswersAsTheProcessorsKernelsDo) {
  for (const double temperature : {0.0, 1.0}) {
    EngineOptions plain, on_device = OnDevice();
    for (EngineOptions* options : {&plain, &on_device}) {
      options->prefill_chunk_tokens = 17;
      options->max_batch = 6;
    }
    const Responses one = AnswersOf(Model(GetParam()), plain, Load(temperature));
    const Responses other = AnswersOf(Model(GetParam()), on_device, Load(temperature));
    ASSERT_EQ(one.size(), other.size());
    for (const auto& [id, response] : one) {
      ASSERT_TRUE(other.at(id).status.ok()) << other.at(id).status.message();
      for (size_t i = 0; i < response.samples.size(); ++i)
        EXPECT_EQ(response.samples[i].token_ids, other.at(id).samples[i].token_ids) << id;
      const std::vector<double> values = Values(response), others = Values(other.at(id));
      ASSERT_EQ(values.size(), others.size());
      for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], others[i], 1e-4) << id;
    }
  }
}

// Greedy answers: draws of the kernel are others.
TEST_P(AtenFamily, AnswersAlikeWithKernelsOfOurOwn) {
  EngineOptions own = OnDevice();
  own.compute.own_kernels = true;
  own.prefill_chunk_tokens = 17;
  const Responses one = AnswersOf(Model(GetParam()), OnDevice(), Load(0)),
                  other = AnswersOf(Model(GetParam()), own, Load(0));
  for (const auto& [id, response] : one) {
    ASSERT_TRUE(other.at(id).status.ok()) << other.at(id).status.message();
    for (size_t i = 0; i < response.samples.size(); ++i)
      EXPECT_EQ(response.samples[i].token_ids, other.at(id).samples[i].token_ids) << id;
    const std::vector<double> values = Values(response), others = Values(other.at(id));
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], others[i], 1e-4) << id;
  }
}

TEST(AtenEngine, ASmallCacheOnlyCostsTime) {
  EngineOptions small = OnDevice();
  small.kv_cache_bytes = 120 << 10;
  const Responses wide = AnswersOf(Model("llama3"), OnDevice(), Load(0)),
                  narrow = AnswersOf(Model("llama3"), small, Load(0));
  for (const auto& [id, response] : wide) {
    ASSERT_TRUE(narrow.at(id).status.ok()) << narrow.at(id).status.message();
    for (size_t i = 0; i < response.samples.size(); ++i)
      EXPECT_EQ(response.samples[i].token_ids, narrow.at(id).samples[i].token_ids) << id;
  }
}

TEST(AtenEngine, APageTakesHalfAsMuchInBFloat16) {
  const model::ModelConfig config = *model::ReadModelConfig(Model("llama3"));
  const int64_t narrow = PageBytes(config, 16, OnDevice(NumberType::kBFloat16).compute);
  EXPECT_EQ(narrow, config.layers * 16 * 2 * config.kv_size() * 2);
  EXPECT_EQ(PageBytes(config, 16, OnDevice().compute), 2 * narrow);
}

}  // namespace
}  // namespace srlm::worker
