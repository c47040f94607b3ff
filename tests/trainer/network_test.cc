#include "trainer/network/cpu_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/base/random.h"
#include "common/parallel/thread_communicator.h"

namespace srlm::trainer {
namespace {

std::string Reference(const std::string& path) {
  return std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/" + path;
}

const char* const kVariants[] = {"llama2",  "llama3",   "mistral",        "smollm2", "linear",
                                 "sharded", "bfloat16", "mistral_window", "qwen2",   "qwen2_window",
                                 "qwen3",   "gemma3",   "gemma3_new"};

/// A tiny model on one rank.
class TinyNetwork {
 public:
  explicit TinyNetwork(const std::string& name) : communicator_(parallel::MakeSelfCommunicator()) {
    auto parameters = Parameters::Load(Reference("models/" + name), config::Sharding::kNone, *communicator_, nullptr);
    SRLM_CHECK(parameters.ok(), parameters.status().message());
    network_ = std::make_unique<CpuNetwork>(std::move(parameters).value(), 512);
    weights_ = SpanOf(network_->parameters().Owned().front().weights);
  }
  Network& network() { return *network_; }
  const model::ParameterTable& table() { return network_->parameters().table(); }
  std::span<float> weights() const { return weights_; }
  std::span<const float> gradients() const { return gradients_; }  // after BeginStep
  void BeginStep() {
    network_->parameters().BeginStep();
    gradients_ = SpanOf(network_->parameters().Owned().front().gradients);
  }
  std::vector<double> SequenceLogp(const Pack& pack) { return *network_->SequenceLogp(pack); }
  std::vector<double> ForwardBackward(const Pack& pack, const SequenceGradient& gradient) {
    return *network_->ForwardBackward(pack, gradient, /*last=*/false);
  }

 private:
  std::unique_ptr<parallel::Communicator> communicator_;
  std::unique_ptr<Network> network_;
  std::span<float> weights_;
  std::span<const float> gradients_;
};

std::unique_ptr<TinyNetwork> LoadTiny(const std::string& name) { return std::make_unique<TinyNetwork>(name); }

std::vector<int> RandomTokens(uint64_t stream, int64_t count) {
  const RandomStream random(7, {stream});
  std::vector<int> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(3 + static_cast<int>(random.Below(static_cast<uint64_t>(i), 317)));
  return tokens;
}

/// A pair: lengths of prompt, chosen, rejected.
Sample MakePair(uint64_t stream, int64_t prompt, int64_t chosen, int64_t rejected) {
  Sample sample;
  sample.prompt = RandomTokens(3 * stream, prompt);
  sample.responses = {RandomTokens(3 * stream + 1, chosen), RandomTokens(3 * stream + 2, rejected)};
  return sample;
}

Sample Alone(const Sample& pair, size_t response) {
  Sample sample = pair;
  sample.responses = {pair.responses[response]};
  return sample;
}

Pack PackAll(const std::vector<Sample>& samples) {
  std::vector<size_t> indices(samples.size());
  std::iota(indices.begin(), indices.end(), size_t{0});
  return MakePack(samples, indices);
}

/// The gradient of sum_k (k + 1) * logp_k over all sequences, counted by place in the pack.
SequenceGradient WeightedSum() {
  return [next = 1.0](size_t, std::span<const double>, std::span<double> d_logp) mutable {
    for (double& value : d_logp) value = next++;
  };
}
/// No gradient: ForwardBackward then only gives its values, with what is dropped.
SequenceGradient Nothing() {
  return [](size_t, std::span<const double>, std::span<double> d_logp) { std::ranges::fill(d_logp, 0.0); };
}
double WeightedSumOf(const std::vector<double>& logp) {
  double sum = 0;
  for (size_t i = 0; i < logp.size(); ++i) sum += static_cast<double>(i + 1) * logp[i];
  return sum;
}

std::vector<Sample> MixedSamples() {
  return {MakePair(1, 5, 7, 3), MakePair(2, 1, 1, 2), Alone(MakePair(3, 9, 4, 1), 0), MakePair(4, 140, 150, 6)};
}

TEST(Network, GivesTransformersLogProbabilitiesForEveryVariant) {
  for (const std::string name : kVariants) {
    const auto network = LoadTiny(name);
    std::ifstream file(Reference("data/logits_" + name + ".json"));
    const auto reference = nlohmann::json::parse(file);
    const auto tokens = reference["token_ids"].get<std::vector<int>>();
    for (size_t i = 0; i < reference["positions"].size(); ++i) {
      const auto logits = reference["logits"][i].get<std::vector<double>>();
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit);
      Sample sample;
      sample.prompt.assign(tokens.begin(), tokens.begin() + reference["positions"][i].get<int>() + 1);
      for (int token = 0; token < 320; token += 13) sample.responses.push_back({token});
      const std::vector<double> logp = network->SequenceLogp(PackAll({sample}));
      for (size_t k = 0; k < logp.size(); ++k) {
        EXPECT_NEAR(logp[k], logits[13 * k] - std::log(sum), 1e-4) << name << " position " << i;
      }
    }
  }
}

TEST(Network, APackGivesWhatEachSequenceGivesAlone) {
  for (const std::string name : kVariants) {
    const auto network = LoadTiny(name);
    const std::vector<Sample> samples = MixedSamples();
    const std::vector<double> packed = network->SequenceLogp(PackAll(samples));
    size_t k = 0;
    for (const Sample& sample : samples) {
      for (size_t response = 0; response < sample.responses.size(); ++response) {
        const double alone = network->SequenceLogp(PackAll({Alone(sample, response)})).front();
        EXPECT_NEAR(packed[k++], alone, 2e-5 * (1 + std::abs(alone))) << name;
      }
    }
  }
}

class NetworkGradients : public testing::TestWithParam<double> {
 protected:
  /// With the parameter as dropout's rate.
  std::unique_ptr<TinyNetwork> Load(const std::string& name) {
    auto network = LoadTiny(name);
    network->network().set_dropout({GetParam(), RandomStream(5, {17})});
    return network;
  }
};
INSTANTIATE_TEST_SUITE_P(WithoutAndWithDropout, NetworkGradients, testing::Values(0.0, 0.25));

TEST_P(NetworkGradients, AreThoseOfFiniteDifferences) {
  // Untied and tied, and what other families have.
  for (const std::string name : {"llama3", "smollm2", "qwen2", "qwen2_window", "qwen3", "gemma3"}) {
    const auto network = Load(name);
    const Pack pack = PackAll({MakePair(1, 5, 7, 3), Alone(MakePair(3, 9, 4, 1), 0)});
    network->BeginStep();
    network->ForwardBackward(pack, WeightedSum());
    // Along a random direction within each parameter: differences of float32 values are too rough for one element.
    for (const model::Parameter& parameter : network->table().parameters) {
      const RandomStream random(11, {StreamId(parameter.name)});
      const auto begin = static_cast<size_t>(parameter.offset), count = static_cast<size_t>(parameter.elements);
      std::vector<float> direction(count), start(count);
      double expected = 0, norm = 0;
      for (size_t i = 0; i < count; ++i) {
        const double gradient = network->gradients()[begin + i];
        // Mostly along the gradient, so that the difference is large against rounding.
        direction[i] = static_cast<float>(gradient * (0.5 + random.Uniform(i)));
        norm += static_cast<double>(direction[i]) * direction[i];
      }
      ASSERT_GT(norm, 0) << parameter.name;
      const double step = 2e-3 / std::sqrt(norm);
      for (size_t i = 0; i < count; ++i) {
        start[i] = network->weights()[begin + i];
        expected += static_cast<double>(network->gradients()[begin + i]) * direction[i];
      }
      const auto value_at = [&](double distance) {
        for (size_t i = 0; i < count; ++i) {
          network->weights()[begin + i] = static_cast<float>(start[i] + distance * static_cast<double>(direction[i]));
        }
        return WeightedSumOf(network->ForwardBackward(pack, Nothing()));
      };
      const double difference = (value_at(step) - value_at(-step)) / (2 * step);
      std::ranges::copy(start, network->weights().begin() + parameter.offset);
      EXPECT_NEAR(difference, expected, 0.02 * std::abs(expected)) << name << " " << parameter.name;
    }
  }
}

TEST(Network, ThePaddingTokensEmbeddingGetsNoGradientFromInputs) {
  const auto network = LoadTiny("llama3");  // untied, pad_token_id 2
  Sample sample;
  sample.prompt = {2, 5, 2, 6};
  sample.responses = {{7, 8}};
  network->BeginStep();
  network->ForwardBackward(PackAll({sample}), WeightedSum());
  const int64_t width = network->network().config().hidden_size;
  const auto norm_of = [&](int64_t token) {
    double norm = 0;
    for (int64_t i = 0; i < width; ++i) norm += std::abs(network->gradients()[static_cast<size_t>(token * width + i)]);
    return norm;
  };
  EXPECT_EQ(norm_of(2), 0);
  EXPECT_GT(norm_of(5), 0);
}

TEST_P(NetworkGradients, AreTheSameRecomputedAsKept) {
  for (const std::string name : {"llama3", "qwen3", "gemma3"}) {
    const auto keep = Load(name), recompute = Load(name);
    recompute->network().set_recompute(true);
    const Pack pack = PackAll(MixedSamples());
    for (TinyNetwork* network : {keep.get(), recompute.get()}) {
      network->BeginStep();
      network->ForwardBackward(pack, WeightedSum());
    }
    EXPECT_TRUE(std::ranges::equal(keep->gradients(), recompute->gradients())) << name;
  }
}

TEST_P(NetworkGradients, OfTwoPacksAreThoseOfOne) {
  const auto once = Load("smollm2"), twice = Load("smollm2");
  const std::vector<Sample> samples = MixedSamples();
  const auto ones = [](size_t, std::span<const double>, std::span<double> d_logp) { std::ranges::fill(d_logp, 1.0); };
  once->BeginStep();
  once->ForwardBackward(PackAll(samples), ones);
  twice->BeginStep();
  for (const std::vector<size_t>& part : {std::vector<size_t>{3, 1}, {0, 2}, {}}) {
    twice->ForwardBackward(MakePack(samples, part), ones);
  }
  double difference = 0, norm = 0;
  for (size_t i = 0; i < once->gradients().size(); ++i) {
    difference += std::pow(once->gradients()[i] - twice->gradients()[i], 2);
    norm += std::pow(once->gradients()[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);
}

TEST(Network, DropsTheShareThatItIsToldAndScalesTheRest) {
  const Pack pack = PackAll(MixedSamples());
  for (const double rate : {0.1, 0.5}) {
    const Dropout dropout({rate, RandomStream(5, {17})}, pack);
    at::Tensor first = at::ones({pack.size(), 66}), again = at::ones({pack.size(), 66}),
               other = at::ones({pack.size(), 66});
    dropout.Apply(3, first);
    dropout.Apply(3, again);
    dropout.Apply(4, other);
    EXPECT_NEAR(at::sum(first == 0).item<double>() / static_cast<double>(first.numel()), rate, 0.01);
    EXPECT_NEAR(at::max(first).item<double>(), 1 / (1 - rate), 1e-4);
    EXPECT_TRUE(at::equal(first, again));
    EXPECT_FALSE(at::equal(first, other));
  }
}

TEST(Network, WithDropoutTheValuesOfAStepAreOthersAndWithoutAGradientTheyAreNot) {
  const auto network = LoadTiny("llama3");
  const Pack pack = PackAll(MixedSamples());
  const std::vector<double> plain = network->SequenceLogp(pack);
  network->BeginStep();
  network->network().set_dropout({0.25, RandomStream(5, {17})});
  EXPECT_EQ(network->SequenceLogp(pack), plain);
  const std::vector<double> dropped = network->ForwardBackward(pack, Nothing());
  network->network().set_dropout({0.25, RandomStream(5, {18})});  // of the next step
  const std::vector<double> next = network->ForwardBackward(pack, Nothing());
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_GT(std::abs(dropped[i] - plain[i]), 1e-4);
    EXPECT_GT(std::abs(dropped[i] - next[i]), 1e-4);
  }
}

}  // namespace
}  // namespace srlm::trainer
