// Parameters over several ranks, which are threads here: whatever is sharded, training is the same.
#include "trainer/parameters/parameters.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "common/base/random.h"
#include "common/parallel/thread_communicator.h"
#include "tests/temporary_folder.h"
#include "trainer/network/cpu_network.h"
#include "trainer/optimizer/adamw.h"

namespace srlm::trainer {
namespace {

using config::Sharding;

constexpr Sharding kShardings[] = {Sharding::kNone, Sharding::kOptimizer, Sharding::kFull};
constexpr int kSteps = 3;

std::string TinyModel(const std::string& name) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name;
}

/// What a rank is to compute in a step: packs of one response after a prompt, one a micro-batch; empty packs too.
struct Work {
  int micro_batches = 1;
  int idle_ranks = 0;  // the last ones get nothing
};

Pack PackOf(int step, int rank, int micro_batch, const Work& work, int ranks) {
  if (rank >= ranks - work.idle_ranks) return {};
  const RandomStream random(
      3, {static_cast<uint64_t>(step), static_cast<uint64_t>(rank), static_cast<uint64_t>(micro_batch)});
  Sample sample;
  for (uint64_t i = 0; i < 9; ++i) sample.prompt.push_back(3 + static_cast<int>(random.Below(i, 317)));
  sample.responses = {{5, 6, 7 + rank, 8 + step}};
  const std::vector<Sample> samples = {sample};
  const std::vector<size_t> indices = {0};
  return MakePack(samples, indices);
}

/// What training came to, on every rank.
struct Trained {
  std::vector<float> weights;  // of the parameters alone, in the table's order
  std::vector<double> norms;   // of each step
  Traffic traffic;
  int64_t owned = 0;  // elements
  int64_t total = 0;
};

void Train(const std::string& model, Sharding sharding, const Work& work, parallel::Communicator& communicator,
           Trained& trained, Trace* trace) {
  auto loaded = Parameters::Load(model, sharding, communicator, trace);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  CpuNetwork network(std::move(loaded).value(), 64);
  Parameters& parameters = network.parameters();
  AdamW optimizer(parameters.table(), parameters.Owned(), {});
  const auto gradient = [](size_t, std::span<const double>, std::span<double> d_logp) { d_logp[0] = -0.25; };
  for (int step = 0; step < kSteps; ++step) {
    parameters.BeginStep();
    for (int i = 0; i < work.micro_batches; ++i) {
      const Pack pack = PackOf(step, communicator.rank(), i, work, communicator.size());
      ASSERT_TRUE(network.ForwardBackward(pack, gradient, i + 1 == work.micro_batches).ok());
    }
    ASSERT_TRUE(parameters.FinishGradients().ok());
    const auto norm = parameters.GradientNorm();
    ASSERT_TRUE(norm.ok());
    trained.norms.push_back(*norm);
    optimizer.Step(1e-2, 1, parameters.Owned());
    ASSERT_TRUE(parameters.PublishWeights().ok());
  }
  trained.traffic = parameters.traffic();
  trained.total = parameters.table().total_elements;
  for (const OwnedStretch& stretch : parameters.Owned()) trained.owned += stretch.count();
  for (size_t unit = 0; unit < parameters.table().units.size(); ++unit) {
    const auto whole = parameters.WholeUnit(unit);
    ASSERT_TRUE(whole.ok());
    const std::span<float> values = SpanOf(whole->narrow(0, 0, parameters.table().units[unit].elements));
    trained.weights.insert(trained.weights.end(), values.begin(), values.end());
  }
}

std::vector<Trained> TrainOn(int ranks, const std::string& model, Sharding sharding, const Work& work,
                             const std::string& trace_folder = "") {
  const auto communicators = parallel::MakeThreadCommunicators(ranks, {.timeout_s = 60});
  std::vector<Trained> trained(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Trace trace(rank);
      const bool traces = !trace_folder.empty();
      const auto place = static_cast<size_t>(rank);
      Train(model, sharding, work, *communicators[place], trained[place], traces ? &trace : nullptr);
      if (!traces) return;
      EXPECT_TRUE(trace.Write(trace_folder + "/rank-" + std::to_string(rank) + ".json").ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  return trained;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double Difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  return worst;
}

TEST(Parameters, ShardingChangesNoBitOfAStepOfOneMicroBatch) {
  for (const std::string name : {"smollm2", "llama3"}) {  // tied and untied
    for (const int ranks : {1, 2, 3, 4}) {
      const std::vector<Trained> whole = TrainOn(ranks, TinyModel(name), Sharding::kNone, {});
      for (const Sharding sharding : kShardings) {
        for (const Trained& rank : TrainOn(ranks, TinyModel(name), sharding, {})) {
          EXPECT_TRUE(SameBits(rank.weights, whole[0].weights))
              << name << " on " << ranks << ", " << config::NameOf(sharding);
          EXPECT_EQ(rank.norms, whole[0].norms);
        }
      }
    }
  }
}

TEST(Parameters, WithSeveralMicroBatchesItChangesRoundingAlone) {
  const Work work = {.micro_batches = 3};
  const std::vector<Trained> whole = TrainOn(3, TinyModel("smollm2"), Sharding::kNone, work);
  const std::vector<Trained> optimizer = TrainOn(3, TinyModel("smollm2"), Sharding::kOptimizer, work);
  const std::vector<Trained> full = TrainOn(3, TinyModel("smollm2"), Sharding::kFull, work);
  EXPECT_TRUE(SameBits(optimizer[0].weights, whole[0].weights));
  for (size_t step = 0; step < kSteps; ++step) {
    EXPECT_NEAR(full[0].norms[step], whole[0].norms[step], 1e-4 * whole[0].norms[step]);
  }
  EXPECT_TRUE(SameBits(full[0].weights, full[2].weights));
}

TEST(Parameters, RanksWithoutWorkTakePart) {
  for (const Sharding sharding : kShardings) {
    const std::vector<Trained> trained = TrainOn(4, TinyModel("smollm2"), sharding, {.idle_ranks = 3});
    const std::vector<Trained> alone = TrainOn(1, TinyModel("smollm2"), sharding, {});
    for (const Trained& rank : trained) EXPECT_TRUE(SameBits(rank.weights, trained[0].weights));
    EXPECT_LT(Difference(trained[0].weights, alone[0].weights), 1e-6);
  }
}

TEST(Parameters, ARankHasStateOfItsPartAlone) {
  for (const int ranks : {2, 4}) {
    EXPECT_EQ(TrainOn(ranks, TinyModel("smollm2"), Sharding::kNone, {})[0].owned * ranks,
              TrainOn(ranks, TinyModel("smollm2"), Sharding::kNone, {})[0].total * ranks);
    for (const Sharding sharding : {Sharding::kOptimizer, Sharding::kFull}) {
      for (const Trained& rank : TrainOn(ranks, TinyModel("smollm2"), sharding, {})) {
        EXPECT_EQ(rank.owned * ranks, rank.total);
      }
    }
  }
}

/// docs/architecture.md has the formulas.
TEST(Parameters, RanksSendWhatTheFormulasSay) {
  const auto table = model::MakeParameterTable(*model::ReadModelConfig(TinyModel("smollm2")), 4 * kPieceMultiple);
  const auto layers = static_cast<int64_t>(table.blocks.size());
  const int64_t root = table.units.front().room + table.units.back().room, block = table.units[1].room;
  for (const int micro_batches : {1, 3}) {
    const int64_t all = root + layers * block;
    const int64_t gathered = root + (layers + (2 * micro_batches - 1) * (layers - 2)) * block;
    const int64_t summed = root + micro_batches * layers * block;
    const std::vector<std::pair<Sharding, int64_t>> moved = {
        {Sharding::kNone, 2 * all}, {Sharding::kOptimizer, 2 * all}, {Sharding::kFull, gathered + summed}};
    for (const auto& [sharding, elements] : moved) {
      const std::vector<Trained> trained = TrainOn(4, TinyModel("smollm2"), sharding, {.micro_batches = micro_batches});
      for (const Trained& rank : trained) {
        EXPECT_EQ(rank.traffic.bytes, kSteps * 3 * elements) << config::NameOf(sharding);  // 4 bytes, 3/4 of all
      }
    }
  }
}

TEST(Parameters, TheTraceHasWhatWasDoneInItsOrder) {
  const TemporaryFolder folder;
  (void)TrainOn(2, TinyModel("smollm2"), Sharding::kFull, {}, folder.path());
  for (const std::string rank : {"0", "1"}) {
    std::ifstream file(folder.Path("rank-" + rank + ".json"));
    const auto events = nlohmann::json::parse(file)["traceEvents"];
    std::map<std::string, nlohmann::json> first;
    for (const auto& event : events) first.emplace(event["name"].get<std::string>(), event);
    // A block's weights are on their way before it runs, and its gradients before the block below is done.
    EXPECT_LT(first.at("all-gather weights of block 1")["ts"], first.at("forward of block 1")["ts"]);
    EXPECT_LT(first.at("all-gather weights of block 1")["ts"], first.at("forward of block 0")["ts"]);
    const auto& backward = first.at("backward of block 0");
    EXPECT_LT(first.at("reduce-scatter gradients of block 1")["ts"].get<double>(),
              backward["ts"].get<double>() + backward["dur"].get<double>());
    EXPECT_GT(first.at("reduce-scatter gradients of block 1")["args"]["bytes"], 0);
  }
}

TEST(Parameters, AnAbsentRankIsNamed) {
  const auto communicators = parallel::MakeThreadCommunicators(2, {.timeout_s = 0.2});
  auto parameters = Parameters::Load(TinyModel("smollm2"), Sharding::kFull, *communicators[0], nullptr);
  ASSERT_TRUE(parameters.ok());
  CpuNetwork network(std::move(parameters).value(), 64);
  const auto logp = network.SequenceLogp(PackOf(0, 0, 0, {}, 1));
  EXPECT_EQ(logp.status().code(), Code::kDeadlineExceeded);
  EXPECT_NE(logp.status().message().find("weights of the embedding"), std::string::npos) << logp.status().message();
  EXPECT_NE(logp.status().message().find("rank 1"), std::string::npos) << logp.status().message();
}

}  // namespace
}  // namespace srlm::trainer
