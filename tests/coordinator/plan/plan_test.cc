// What a run needs, counted: parameters, memory, work, and where a model fits.
#include "coordinator/plan/plan.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "common/model/cost.h"
#include "common/model/parameters.h"
#include "coordinator/plan/estimate.h"
#include "coordinator/plan/known_models.h"
#include "coordinator/plan/layout.h"

namespace srlm::plan {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

model::ModelConfig Known(const std::string& name) {
  const auto model = FindKnownModel(name);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

std::string Tiny(const std::string& name) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name;
}

Lengths LengthsOf(const config::RunConfig& config, const std::map<std::string, double>& given = {}) {
  const auto lengths = FindLengths(config, nullptr, given);
  EXPECT_TRUE(lengths.ok()) << lengths.status().message();
  return *lengths;
}

std::vector<Phase> AllPhases(const config::RunConfig& config, const Lengths& lengths) {
  std::vector<Phase> phases = PhasesOfRound(config, lengths);
  phases.push_back(PhaseOfSft(config, lengths));
  return phases;
}

TEST(Plan, MatricesAndVectorsAreAllOfAModel) {
  for (const std::string name : {"llama2", "smollm2", "mistral", "qwen2", "qwen3", "gemma3"}) {
    const auto config = model::ReadModelConfig(Tiny(name));
    ASSERT_TRUE(config.ok());
    const model::ParameterTable table = model::MakeParameterTable(*config);
    int64_t vectors = 0;
    for (const model::Parameter& parameter : table.parameters) {
      if (parameter.shape.size() == 1) vectors += parameter.elements;
    }
    const int64_t embeddings = (config->tied_embeddings ? 1 : 2) * model::HeadElements(*config);
    EXPECT_EQ(model::BlockMatrixElements(*config) + embeddings + vectors, table.total_elements) << name;
  }
}

TEST(Plan, WellKnownModelsHaveTheirSizes) {
  for (const auto& [name, billions] : {std::pair{"llama-2-70b", 68.98},
                                       {"llama-3-8b", 8.03},
                                       {"llama-3-70b", 70.55},
                                       {"mistral-7b", 7.25},
                                       {"qwen2.5-7b", 7.62},
                                       {"qwen3-8b", 8.19},
                                       {"gemma-3-270m", 0.268},
                                       {"smollm2-135m", 0.1345}}) {
    const double elements = static_cast<double>(model::MakeParameterTable(Known(name)).total_elements);
    EXPECT_NEAR(elements / 1e9, billions, 0.006 * billions) << name;
  }
  EXPECT_NE(FindKnownModel("gpt-5").status().message().find("llama-3-8b"), std::string::npos);
}

TEST(Plan, WindowsAreSeenInTheWorkOfAttention) {
  model::ModelConfig config = *model::ReadModelConfig(Tiny("gemma3"));  // two layers of three see 6 tokens
  EXPECT_DOUBLE_EQ(model::SeenTokens(config, 4), 4);
  EXPECT_DOUBLE_EQ(model::SeenTokens(config, 30), (6 + 6 + 30) / 3.0);
  config.local_layers.clear();
  EXPECT_DOUBLE_EQ(model::SeenTokens(config, 30), 30);
}

TEST(Plan, ATrainingRankHoldsWhatTheTableOfTheArchitectureSays) {
  const model::ModelConfig model = Known("smollm2-135m");
  const Precision precision = CpuPrecision();
  const int64_t all = model::MakeParameterTable(model, 16 * 4).total_elements;
  const auto memory = [&](int ranks, config::Sharding sharding, config::LoraConfig lora = {}) {
    return MemoryOfTrainer(model, lora, ranks, sharding, false, 1000, precision);
  };
  const TrainerMemory none = memory(4, config::Sharding::kNone), optimizer = memory(4, config::Sharding::kOptimizer),
                      full = memory(4, config::Sharding::kFull);
  EXPECT_EQ(none.weights, 4 * all);
  EXPECT_EQ(none.gradients, 4 * all);
  EXPECT_EQ(none.optimiser, 8 * all);
  EXPECT_EQ(optimizer.weights + optimizer.gradients, 8 * all);
  EXPECT_EQ(optimizer.optimiser, 2 * all);
  EXPECT_EQ(full.optimiser, 2 * all);
  const int64_t block = model::MakeParameterTable(model, 16 * 4).units[1].room;
  EXPECT_GT(full.weights, all + 4 * (model::HeadElements(model) + 2 * block));
  EXPECT_LT(full.weights, 1.01 * static_cast<double>(all + 4 * (model::HeadElements(model) + 2 * block)));
  EXPECT_EQ(full.activations, none.activations);
  const TrainerMemory adapters = memory(4, config::Sharding::kNone, {.rank = 8});
  EXPECT_LT(adapters.gradients + adapters.optimiser, none.optimiser / 8);
  EXPECT_GT(adapters.weights, none.weights);
}

TEST(Plan, PhasesHaveTheirTokens) {
  config::RunConfig config;
  config.prompts.per_round = 100;
  config.prompts.new_per_round = 10;
  config.generation.samples = 4;
  config.judge.votes = 3;
  const Lengths lengths = LengthsOf(
      config, {{"prompt", 20}, {"answer", 50}, {"judge", 200}, {"judge_shared", 150}, {"verdict", 30}, {"pairs", 1}});
  const std::vector<Phase> phases = PhasesOfRound(config, lengths);
  ASSERT_EQ(phases.size(), 3u);
  EXPECT_EQ(phases[1].name, "generate_and_judge");
  EXPECT_DOUBLE_EQ(phases[1].serving[0].prefilled(), 100 * 20);
  EXPECT_DOUBLE_EQ(phases[1].serving[0].decoded(), 100 * 4 * 50);
  EXPECT_DOUBLE_EQ(phases[1].serving[1].prefilled(), 400 * (50 + 50 + 20 / 4.0));  // the rest is in the cache
  EXPECT_DOUBLE_EQ(phases[1].serving[1].decoded(), 400 * 3 * 30);
  EXPECT_DOUBLE_EQ(phases[2].training[0].rows, 100);
  EXPECT_DOUBLE_EQ(phases[2].training[0].tokens, 120);
  config.judge.verdict = config::JudgeVerdict::kExpected;  // probabilities are read, nothing is written
  EXPECT_DOUBLE_EQ(PhasesOfRound(config, lengths)[1].serving[1].decoded(), 0);
  // A pass of training is three of reading.
  const model::ModelConfig model = Known("smollm2-135m");
  Training training = phases[2].training[0];
  training.reference_rows = 0;
  const double forward =
      training.tokens * model::BlockFlops(model, training.context) + training.target_tokens * model::HeadFlops(model);
  EXPECT_NEAR(FlopsOf(training, model), 3 * 100 * forward, 1);
}

TEST(Plan, LengthsThatAreNoneAreRefused) {
  EXPECT_NE(FindLengths({}, nullptr, {{"answers", 3}}).status().message().find("answer"), std::string::npos);
  EXPECT_FALSE(FindLengths({}, nullptr, {{"answer", -3}}).ok());
}

TEST(Plan, TheLayoutIsTheLeastThatFits) {
  const Machine gpu = *FindGpu("h100-80gb");
  const auto suggest = [&](const std::string& name, int gpus, config::RunConfig& config) {
    return SuggestLayout(Known(name), AllPhases(config, LengthsOf(config)), gpus, gpu, GpuPrecision(), config);
  };
  config::RunConfig large;
  ASSERT_TRUE(suggest("llama-2-70b", 64, large).ok());
  EXPECT_EQ(large.workers.tensor_parallel, 4);  // 138 GB of weights; on two few sequences fit beside them
  EXPECT_EQ(large.workers.replicas, 16);
  EXPECT_EQ(large.trainer.sharding, config::Sharding::kFull);
  const TrainerMemory memory =
      PeakOfTrainer(AllPhases(large, LengthsOf(large)), Known("llama-2-70b"), large, GpuPrecision());
  EXPECT_LT(static_cast<double>(memory.total()), 0.9 * 80e9);
  config::RunConfig middle;
  ASSERT_TRUE(suggest("llama-3-8b", 8, middle).ok());
  EXPECT_EQ(middle.workers.tensor_parallel, 1);
  EXPECT_EQ(middle.workers.replicas, 8);
  EXPECT_EQ(middle.trainer.sharding, config::Sharding::kOptimizer);  // 16 GB + 16 GB + 96 GB / 8
  config::RunConfig small;
  ASSERT_TRUE(suggest("smollm2-135m", 1, small).ok());
  EXPECT_EQ(small.trainer.sharding, config::Sharding::kNone);
  config::RunConfig none;
  EXPECT_NE(suggest("llama-2-70b", 1, none).message().find("workers"), std::string::npos);
  EXPECT_NE(suggest("llama-3-8b", 1, none).message().find("lora.rank"), std::string::npos);
}

TEST(Plan, MoreOfTheSameMachineTakesLessTime) {
  const model::ModelConfig model = Known("llama-3-8b");
  const Machine gpu = *FindGpu("h100-80gb");
  double before = 0;
  for (const int gpus : {8, 16, 32}) {
    config::RunConfig config;
    config.dpo.global_batch = 512;  // enough for all, or they wait for their messages
    const Lengths lengths = LengthsOf(config);
    ASSERT_TRUE(SuggestLayout(model, AllPhases(config, lengths), gpus, gpu, GpuPrecision(), config).ok());
    const auto plan = MakePlan(config, model, lengths, gpu, GpuPrecision());
    const double seconds = plan["round"]["seconds"].get<double>();
    if (before > 0) {
      EXPECT_LT(seconds, before);
      EXPECT_GT(seconds, before / 2.5);
    }
    before = seconds;
    EXPECT_LT(plan["worker"]["bytes"].get<double>(), 0.91 * 80e9);
  }
}

TEST(Plan, AStepLastsAsLongAsItsBusiestRankOrItsMessages) {
  const model::ModelConfig model = Known("llama-3-8b");
  config::RunConfig config;
  config.trainer.ranks = 8;
  const Phase dpo = PhasesOfRound(config, LengthsOf(config))[2];
  Machine machine = *FindGpu("h100-80gb");
  machine.link_bytes_s = machine.network_bytes_s = 0;  // computing alone
  machine.train_load_seconds = 0;
  const double on_8 = SecondsOf(dpo, model, config, machine, GpuPrecision());
  config.trainer.ranks = 12;  // 16 pairs: some ranks have two, as on 8
  EXPECT_NEAR(SecondsOf(dpo, model, config, machine, GpuPrecision()), on_8, 0.1 * on_8);
  config.trainer.ranks = 16;
  EXPECT_NEAR(SecondsOf(dpo, model, config, machine, GpuPrecision()), on_8 / 2, 0.1 * on_8);
  config.trainer.ranks = 64;  // nothing for 48 of them
  EXPECT_NEAR(SecondsOf(dpo, model, config, machine, GpuPrecision()), on_8 / 2, 0.1 * on_8);
  machine.network_bytes_s = 1e9;
  config.trainer.sharding = config::Sharding::kFull;
  const double sent = SentBytes(model, config.lora, 64, config::Sharding::kFull, 1, GpuPrecision());
  EXPECT_NEAR(sent, 3.0 * 2 * 8.03e9, 0.1 * sent);  // weights twice, gradients once
  const double expected = dpo.training[0].steps * sent / 1e9;
  EXPECT_NEAR(SecondsOf(dpo, model, config, machine, GpuPrecision()), expected, 0.01 * expected);
}

TEST(Plan, DiskIsModelsAndCheckpoints) {
  config::RunConfig config;
  config.run.iterations = 2;
  config.trainer.keep_checkpoints = 2;
  config.trainer.checkpoint_steps = 1;
  const model::ModelConfig model = Known("smollm2-135m");
  const double whole = 4.0 * static_cast<double>(model::MakeParameterTable(model).total_elements);
  const Lengths lengths = LengthsOf(config);
  EXPECT_NEAR(DiskOf(config, model, AllPhases(config, lengths)), (3 + 3 * 3) * whole, 1e-3 * whole);
  config.trainer.checkpoint_steps = 0;
  EXPECT_NEAR(DiskOf(config, model, AllPhases(config, lengths)) / kGib, 3 * whole / kGib, 1e-3);
}

}  // namespace
}  // namespace srlm::plan
