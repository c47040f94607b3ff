// Adapters: the model does not change, what is trained is small, and it is the same on any number of ranks.
#include "trainer/parameters/lora.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "common/base/random.h"
#include "common/parallel/thread_communicator.h"
#include "trainer/network/cpu_network.h"
#include "trainer/optimizer/adamw.h"
#include "trainer/parameters/adapter_parameters.h"

namespace srlm::trainer {
namespace {

using config::LoraTarget;
using config::Sharding;

const std::string kModel = std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/llama3";

model::LoraOptions Options(std::vector<LoraTarget> targets = {LoraTarget::kQuery, LoraTarget::kKey, LoraTarget::kValue,
                                                              LoraTarget::kOutput, LoraTarget::kGate, LoraTarget::kUp,
                                                              LoraTarget::kDown}) {
  return {.rank = 4, .alpha = 8, .targets = std::move(targets)};
}

/// A network with adapters on one rank of a group.
struct Adapted {
  Adapted(parallel::Communicator& communicator, const model::LoraOptions& options, Sharding sharding = Sharding::kNone)
      : network(
            [&] {
              auto base = Parameters::Load(kModel, sharding, communicator, nullptr);
              SRLM_CHECK(base.ok(), base.status().message());
              return std::make_unique<AdapterParameters>(std::move(base).value(), options, 7, communicator, nullptr);
            }(),
            64) {}
  Parameters& parameters() { return network.parameters(); }
  CpuNetwork network;
};

Pack PackOf(int rank) {
  const RandomStream random(3, {static_cast<uint64_t>(rank)});
  Sample sample;
  for (uint64_t i = 0; i < 9; ++i) sample.prompt.push_back(3 + static_cast<int>(random.Below(i, 317)));
  sample.responses = {{5, 6, 7 + rank, 8}};
  const std::vector<Sample> samples = {sample};
  const std::vector<size_t> indices = {0};
  return MakePack(samples, indices);
}

void Ones(size_t, std::span<const double>, std::span<double> d_logp) { std::ranges::fill(d_logp, 1.0); }

TEST(Lora, BeginsAsTheModelItself) {
  const auto self = parallel::MakeSelfCommunicator();
  CpuNetwork plain(Parameters::Load(kModel, Sharding::kNone, *self, nullptr).value(), 64);
  Adapted adapted(*self, Options());
  EXPECT_EQ(*adapted.network.SequenceLogp(PackOf(0)), *plain.SequenceLogp(PackOf(0)));
  EXPECT_NE(adapted.parameters().Owned()[0].weights[0].item<float>(), 0) << "A is random, and B is 0";
}

TEST(Lora, GradientsAreThoseOfFiniteDifferencesForEveryTarget) {
  const auto self = parallel::MakeSelfCommunicator();
  for (const auto& targets : {std::vector<LoraTarget>{LoraTarget::kQuery, LoraTarget::kValue},
                              {LoraTarget::kKey, LoraTarget::kOutput, LoraTarget::kDown},
                              {LoraTarget::kGate},
                              {LoraTarget::kUp}}) {
    Adapted adapted(*self, Options(targets));
    Parameters& parameters = adapted.parameters();
    const std::span<float> weights = SpanOf(parameters.Owned()[0].weights);
    const RandomStream random(5, {});
    for (size_t i = 0; i < weights.size(); ++i) weights[i] += static_cast<float>(0.1 * (random.Uniform(i) - 0.5));
    ASSERT_TRUE(parameters.PublishWeights().ok());
    parameters.BeginStep();
    ASSERT_TRUE(adapted.network.ForwardBackward(PackOf(0), Ones, true).ok());
    const std::span<const float> gradients = SpanOf(parameters.Owned()[0].gradients);
    for (const model::Parameter& parameter : parameters.table().parameters) {
      double norm = 0;
      const auto begin = static_cast<size_t>(parameter.offset), count = static_cast<size_t>(parameter.elements);
      const std::vector<float> start(weights.begin() + parameter.offset,
                                     weights.begin() + parameter.offset + parameter.elements);
      for (size_t i = 0; i < count; ++i) norm += std::pow(gradients[begin + i], 2);
      ASSERT_GT(norm, 0) << parameter.name;
      const double step = 2e-3 / std::sqrt(norm);
      const auto value_at = [&](double distance) {
        for (size_t i = 0; i < count; ++i)
          weights[begin + i] = static_cast<float>(start[i] + distance * gradients[begin + i]);
        EXPECT_TRUE(parameters.PublishWeights().ok());
        return adapted.network.SequenceLogp(PackOf(0))->front();
      };
      const double difference = (value_at(step) - value_at(-step)) / (2 * step);
      std::ranges::copy(start, weights.begin() + parameter.offset);
      EXPECT_NEAR(difference, norm, 0.02 * norm) << parameter.name;
    }
  }
}

/// Adapters after some steps of ranks that are threads, each with a pack of its own.
std::vector<float> Train(int ranks, Sharding sharding) {
  const auto communicators = parallel::MakeThreadCommunicators(ranks, {.timeout_s = 60});
  std::vector<std::vector<float>> trained(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Adapted adapted(*communicators[static_cast<size_t>(rank)], Options(), sharding);
      Parameters& parameters = adapted.parameters();
      AdamW optimizer(parameters.table(), parameters.Owned(), {});
      for (int step = 0; step < 3; ++step) {
        parameters.BeginStep();
        EXPECT_TRUE(adapted.network.ForwardBackward(PackOf(rank), Ones, true).ok());
        EXPECT_TRUE(parameters.FinishGradients().ok());
        optimizer.Step(1e-2, 1, parameters.Owned());
        EXPECT_TRUE(parameters.PublishWeights().ok());
      }
      const std::span<float> weights = SpanOf(parameters.Owned()[0].weights);
      trained[static_cast<size_t>(rank)].assign(weights.begin(), weights.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : trained) EXPECT_EQ(each, trained[0]);
  return trained[0];
}

TEST(Lora, ShardingTheModelChangesNoBit) {
  for (const int ranks : {1, 2, 3}) EXPECT_EQ(Train(ranks, Sharding::kFull), Train(ranks, Sharding::kNone));
}

TEST(Lora, TheMergedModelComputesWhatTheAdaptedOneDoes) {
  const auto self = parallel::MakeSelfCommunicator();
  Adapted adapted(*self, Options());
  Parameters& parameters = adapted.parameters();
  const std::span<float> weights = SpanOf(parameters.Owned()[0].weights);
  for (float& weight : weights) weight += 0.01f;
  ASSERT_TRUE(parameters.PublishWeights().ok());
  CpuNetwork merged(Parameters::Load(kModel, Sharding::kNone, *self, nullptr).value(), 64);
  const std::span<float> flat = SpanOf(merged.parameters().Owned()[0].weights);
  for (size_t unit = 0; unit < parameters.model_table().units.size(); ++unit) {
    const auto whole = parameters.WholeUnit(unit);
    ASSERT_TRUE(whole.ok());
    std::ranges::copy(SpanOf(*whole), flat.begin() + parameters.model_table().units[unit].begin);
  }
  EXPECT_EQ(*merged.SequenceLogp(PackOf(0)), *adapted.network.SequenceLogp(PackOf(0)));
}

TEST(Lora, OnlyAdaptersAreTrained) {
  const auto self = parallel::MakeSelfCommunicator();
  Adapted adapted(*self, Options({LoraTarget::kQuery}));
  const model::ModelConfig& config = adapted.network.config();
  int64_t elements = 0;
  for (const model::Parameter& parameter : adapted.parameters().table().parameters) elements += parameter.elements;
  EXPECT_EQ(elements, config.layers * 4 * (config.hidden_size + config.query_size()));
  EXPECT_EQ(adapted.parameters().table().parameters[1].name,
            "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
}

}  // namespace
}  // namespace srlm::trainer
