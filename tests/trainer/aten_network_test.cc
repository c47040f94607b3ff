// The device's network, on processors, against theirs: the same values and gradients for every family.
#include "trainer/network/aten_network.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <thread>

#include "common/base/random.h"
#include "common/parallel/thread_communicator.h"
#include "trainer/network/cpu_network.h"
#include "trainer/parameters/adapter_parameters.h"

namespace srlm::trainer {
namespace {

using config::LoraTarget;
using config::Sharding;

enum class Kind { kCpu, kAten };

struct Setting {
  Kind kind = Kind::kAten;
  at::ScalarType numbers = at::kFloat;
  double dropout = 0;
  bool recompute = false;
  Sharding sharding = Sharding::kNone;
  bool adapters = false;
};

std::vector<int> Tokens(uint64_t stream, int64_t count) {
  const RandomStream random(7, {stream});
  std::vector<int> tokens;
  for (int64_t i = 0; i < count; ++i) tokens.push_back(static_cast<int>(random.Below(static_cast<uint64_t>(i), 320)));
  return tokens;
}

/// Pairs and single answers, short and beyond the tiny models' windows; some tokens are padding's.
std::vector<Sample> Samples() {
  std::vector<Sample> samples;
  for (const auto& [prompt, first, second] : {std::tuple{5, 7, 3}, {1, 1, 2}, {9, 4, 0}, {70, 30, 6}}) {
    Sample& sample = samples.emplace_back();
    const uint64_t stream = 3 * samples.size();
    sample.prompt = Tokens(stream, prompt);
    sample.prompt[0] = 2;
    sample.responses = {Tokens(stream + 1, first)};
    if (second > 0) sample.responses.push_back(Tokens(stream + 2, second));
  }
  return samples;
}

struct Values {
  std::vector<double> logp, stepped_logp;
  std::vector<at::Tensor> gradients;  // of the owned stretches
};

std::unique_ptr<Network> Load(const std::string& name, const Setting& setting, parallel::Communicator& communicator) {
  const std::string folder = std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name;
  auto loaded = Parameters::Load(folder, setting.sharding, communicator, nullptr, {.numbers = setting.numbers});
  SRLM_CHECK(loaded.ok(), loaded.status().message());
  std::unique_ptr<Parameters> parameters = std::move(loaded).value();
  if (setting.adapters) {
    parameters = std::make_unique<AdapterParameters>(
        std::move(parameters),
        model::LoraOptions{.rank = 4, .alpha = 8, .targets = {LoraTarget::kQuery, LoraTarget::kDown}}, 5, communicator,
        nullptr);
  }
  std::unique_ptr<Network> network;
  if (setting.kind == Kind::kCpu) {
    network = std::make_unique<CpuNetwork>(std::move(parameters), 512);
  } else {
    network = std::make_unique<AtenNetwork>(std::move(parameters), 512);
  }
  network->set_recompute(setting.recompute);
  network->set_dropout({setting.dropout, RandomStream(5, {17})});
  return network;
}

/// A step of two packs, the second of them empty on all ranks but the first.
Values StepOf(const std::string& name, const Setting& setting, parallel::Communicator& communicator) {
  const auto network = Load(name, setting, communicator);
  const std::vector<Sample> samples = Samples();
  const Pack pack = MakePack(samples, std::vector<size_t>{0, 1, 2, 3});
  Values values;
  values.logp = *network->SequenceLogp(pack);
  network->parameters().BeginStep();
  const SequenceGradient gradient = [next = 1.0](size_t, std::span<const double>, std::span<double> d_logp) mutable {
    for (double& value : d_logp) value = next++;
  };
  values.stepped_logp = *network->ForwardBackward(pack, gradient, /*last=*/false);
  const std::vector<size_t> more = communicator.rank() == 0 ? std::vector<size_t>{1, 3} : std::vector<size_t>{};
  SRLM_CHECK(network->ForwardBackward(MakePack(samples, more), gradient, /*last=*/true).ok(), "second pack");
  SRLM_CHECK(network->parameters().FinishGradients().ok(), "gradients");
  for (const OwnedStretch& stretch : network->parameters().Owned())
    values.gradients.push_back(stretch.gradients.clone());
  return values;
}

Values RunAlone(const std::string& name, const Setting& setting) {
  return StepOf(name, setting, *parallel::MakeSelfCommunicator());
}

double Difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  const at::Tensor one = at::cat(a), other = at::cat(b);
  return ((one - other).norm() / one.norm()).item<double>();
}

void ExpectNear(const Values& expected, const Values& values, double of_logp, double of_gradients,
                const std::string& what) {
  ASSERT_EQ(expected.logp.size(), values.logp.size());
  for (size_t i = 0; i < expected.logp.size(); ++i) {
    EXPECT_NEAR(expected.logp[i], values.logp[i], of_logp * (1 + std::abs(expected.logp[i]))) << what;
    EXPECT_NEAR(expected.stepped_logp[i], values.stepped_logp[i], of_logp * (1 + std::abs(expected.logp[i]))) << what;
  }
  EXPECT_LT(Difference(expected.gradients, values.gradients), of_gradients) << what;
}

class AtenNetworkOf : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, AtenNetworkOf,
                         testing::Values("llama2", "llama3", "mistral", "smollm2", "linear", "sharded", "bfloat16",
                                         "mistral_window", "qwen2", "qwen2_window", "qwen3", "gemma3", "gemma3_new"));

TEST_P(AtenNetworkOf, GivesTheProcessorsValuesAndGradients) {
  for (const double dropout : {0.0, 0.25}) {
    const Values expected = RunAlone(GetParam(), {.kind = Kind::kCpu, .dropout = dropout});
    for (const bool recompute : {false, true}) {
      ExpectNear(expected, RunAlone(GetParam(), {.dropout = dropout, .recompute = recompute}), 2e-5, 2e-5,
                 recompute ? "recomputed" : "kept");
    }
  }
}

TEST_P(AtenNetworkOf, StaysNearInBFloat16) {
  ExpectNear(RunAlone(GetParam(), {.kind = Kind::kCpu}), RunAlone(GetParam(), {.numbers = at::kBFloat16}), 2e-2, 6e-2,
             "bfloat16");
}

TEST_P(AtenNetworkOf, TrainsAdaptersAlike) {
  ExpectNear(RunAlone(GetParam(), {.kind = Kind::kCpu, .adapters = true}), RunAlone(GetParam(), {.adapters = true}),
             2e-5, 5e-5, "adapters");
}

TEST(AtenNetwork, WorksOverRanksThatHoldPartsOfTheModel) {
  for (const Sharding sharding : {Sharding::kNone, Sharding::kOptimizer, Sharding::kFull}) {
    std::vector<Values> values[2];
    for (const Kind kind : {Kind::kCpu, Kind::kAten}) {
      auto& of_kind = values[static_cast<size_t>(kind)];
      of_kind.resize(2);
      const auto ranks = parallel::MakeThreadCommunicators(2, {.timeout_s = 60});
      std::vector<std::thread> threads;
      for (size_t rank = 0; rank < 2; ++rank) {
        threads.emplace_back(
            [&, rank] { of_kind[rank] = StepOf("llama3", {.kind = kind, .sharding = sharding}, *ranks[rank]); });
      }
      for (std::thread& thread : threads) thread.join();
    }
    for (size_t rank = 0; rank < 2; ++rank) {
      ExpectNear(values[0][rank], values[1][rank], 2e-5, 2e-5, std::string(config::NameOf(sharding)));
    }
  }
}

}  // namespace
}  // namespace srlm::trainer
