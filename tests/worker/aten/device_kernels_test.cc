// The plug-in's own kernels against ATen's operations on its device: host memory here, or what SRLM_TEST_PLUGIN brings.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "common/base/random.h"
#include "common/device/plugin.h"

namespace srlm::device {
namespace {

class DeviceKernels : public testing::Test {
 protected:
  void SetUp() override {
    const char* const other = std::getenv("SRLM_TEST_PLUGIN");
    setenv("SRLM_DEVICE_PLUGIN", other == nullptr ? HOST_DEVICE : other, 1);
    setenv("SRLM_HOST_DEVICE_NAME", ("kernels-" + std::to_string(getpid())).c_str(), 1);
    auto taken = TakeDevice({});
    ASSERT_TRUE(taken.ok()) << taken.status().message();
    device_ = *taken;
    place_ = at::Device(device_.AtenName());
  }
  at::Tensor Numbers(uint64_t stream, at::IntArrayRef shape) const {
    at::Tensor values = at::empty(shape, at::kFloat);
    const RandomStream random(stream, {9});
    for (int64_t i = 0; i < values.numel(); ++i) {
      values.data_ptr<float>()[i] = static_cast<float>(4 * random.Uniform(static_cast<uint64_t>(i)) - 2);
    }
    return values.to(place_);
  }

  Device device_;
  at::Device place_ = at::kCPU;
};

TEST_F(DeviceKernels, PagedAttentionIsThatOfGatheredPages) {
  constexpr int kPages = 40, kPageTokens = 16;
  for (const auto& [heads, kv_heads, dim, window] :
       {std::tuple{9, 3, 64, 0}, {8, 8, 128, 0}, {4, 1, 256, 20}, {6, 2, 20, 5}, {2, 1, 8, 0}}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      const std::vector<int> lengths = {1, 16, 17, 100, 77};
      const auto sequences = static_cast<int64_t>(lengths.size());
      const at::Tensor queries = Numbers(1, {sequences, heads, dim}).to(type);
      const at::Tensor keys = Numbers(2, {kPages * kPageTokens, kv_heads, dim}).to(type);
      const at::Tensor values = Numbers(3, {kPages * kPageTokens, kv_heads, dim}).to(type);
      at::Tensor pages = at::empty({sequences, 7}, at::kInt);
      for (int64_t i = 0; i < pages.numel(); ++i) pages.data_ptr<int>()[i] = static_cast<int>((i * 11 + 3) % kPages);
      const at::Tensor pages_there = pages.to(place_), lengths_there = at::tensor(lengths, at::kInt).to(place_);
      at::Tensor out = at::empty({sequences, heads, dim}, queries.options());
      PagedAttention call{};
      call.queries = queries.data_ptr();
      call.keys = keys.data_ptr();
      call.values = values.data_ptr();
      call.pages = pages_there.data_ptr<int>();
      call.lengths = lengths_there.data_ptr<int>();
      call.out = out.data_ptr();
      call.type = type == at::kFloat ? Element::kFloat32 : Element::kBFloat16;
      call.sequences = static_cast<int32_t>(sequences);
      call.heads = heads;
      call.kv_heads = kv_heads;
      call.head_dim = dim;
      call.table_pages = 7;
      call.page_tokens = kPageTokens;
      call.window = window;
      call.scale = 1.0f / std::sqrt(static_cast<float>(dim));
      ASSERT_EQ(device_.entry->paged_attention(&call, device_.entry->stream_of_aten()), kSuccess);
      for (int64_t s = 0; s < sequences; ++s) {
        const int length = lengths[static_cast<size_t>(s)], first = window > 0 ? std::max(0, length - window) : 0;
        std::vector<int64_t> slots;
        for (int token = first; token < length; ++token) {
          slots.push_back(int64_t{pages[s][token / kPageTokens].item<int>()} * kPageTokens + token % kPageTokens);
        }
        const at::Tensor slot = at::tensor(slots, at::kLong).to(place_);
        const auto seen = [&](const at::Tensor& of) {
          return of.index_select(0, slot).to(at::kFloat).transpose(0, 1).repeat_interleave(heads / kv_heads, 0);
        };
        const at::Tensor query = queries[s].to(at::kFloat).unsqueeze(1);
        const at::Tensor weights = (query.matmul(seen(keys).transpose(1, 2)) * call.scale).softmax(-1);
        const at::Tensor expected = weights.matmul(seen(values)).squeeze(1);
        const double difference = (out[s].to(at::kFloat) - expected).abs().max().item<double>();
        EXPECT_LT(difference, type == at::kFloat ? 1e-5 : 2e-2)
            << heads << " heads of " << dim << ", length " << length;
      }
    }
  }
}

// Draws follow the probabilities of the nucleus, and stay in it.
TEST_F(DeviceKernels, TopPSamplingDrawsFromTheNucleus) {
  constexpr int kRows = 4000, kVocabulary = 50;
  const at::Tensor one = Numbers(4, {1, kVocabulary});
  const at::Tensor logits = one.expand({kRows, kVocabulary}).contiguous();
  std::vector<double> draws;
  for (int i = 0; i < kRows; ++i) draws.push_back((i + 0.5) / kRows);
  for (const auto& [temperature, top_p] : {std::pair{0.7, 0.8}, {1.0, 1.0}, {1.5, 0.3}}) {
    const auto all = [&, n = kRows](double value) { return at::full({n}, value, at::kFloat).to(place_); };
    const at::Tensor temperatures = all(temperature), top_ps = all(top_p);
    const at::Tensor uniforms = at::tensor(draws, at::kFloat).to(place_);
    at::Tensor tokens = at::empty({kRows}, logits.options().dtype(at::kLong));
    TopPSampling call{};
    call.logits = logits.data_ptr<float>();
    call.temperatures = temperatures.data_ptr<float>();
    call.top_ps = top_ps.data_ptr<float>();
    call.uniforms = uniforms.data_ptr<float>();
    call.tokens = tokens.data_ptr<int64_t>();
    call.rows = kRows;
    call.vocabulary = kVocabulary;
    ASSERT_EQ(device_.entry->top_p_sampling(&call, device_.entry->stream_of_aten()), kSuccess);
    const at::Tensor counted = at::bincount(tokens.cpu(), {}, kVocabulary).to(at::kDouble) / kRows;
    const auto [sorted, ids] = (one.cpu()[0] / temperature).softmax(0).to(at::kDouble).sort(0, /*descending=*/true);
    double mass = 0;
    std::vector<double> expected(kVocabulary, 0);
    for (int i = 0; i < kVocabulary && mass < top_p; ++i) {
      mass += expected[static_cast<size_t>(ids[i].item<int64_t>())] = sorted[i].item<double>();
    }
    for (int i = 0; i < kVocabulary; ++i) {
      EXPECT_NEAR(counted[i].item<double>(), expected[static_cast<size_t>(i)] / mass, 1e-3)
          << "token " << i << " at " << temperature << ", " << top_p;
    }
  }
}

}  // namespace
}  // namespace srlm::device
