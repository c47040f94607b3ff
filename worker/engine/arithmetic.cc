#include "worker/engine/arithmetic.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "common/base/hash.h"
#include "common/base/random.h"
#include "common/model/model_config.h"
#include "common/model/rope.h"

namespace srlm::worker {
namespace {

constexpr size_t kDigits = 16;

// Sizes that are no multiple of any vector, so that the ends of rows are seen too.
constexpr int64_t kRows = 9, kInputs = 117, kOutputs = 75;
constexpr int kTokens = 37, kPageTokens = 16, kHeadDim = 20, kPaddedDim = 32, kGroup = 3;

std::vector<float> Numbers(uint64_t stream, int64_t count) {
  const RandomStream random(stream, {3});
  std::vector<float> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(4 * random.Uniform(i) - 2);
  return numbers;
}

template <class T>
void Append(std::string& bytes, const std::vector<T>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

void AppendLinear(const KernelTable& kernels, std::string& bytes) {
  const auto in = Numbers(1, kRows * kInputs), weights = Numbers(2, kOutputs * kInputs);
  std::vector<float> packed(static_cast<size_t>(PackedElements(kOutputs, kInputs, kernels.panel_columns)));
  PackRows(weights.data(), 0, kOutputs, kInputs, kernels.panel_columns, packed.data());
  auto out = Numbers(3, kRows * kOutputs);
  kernels.linear(in.data(), kInputs, packed.data(), kInputs, kOutputs, out.data(), kOutputs, kRows, 0,
                 (kOutputs + kernels.panel_columns - 1) / kernels.panel_columns, Store::kAdd);
  Append(bytes, out);
}

void AppendAttention(const KernelTable& kernels, std::string& bytes) {
  const std::array<int, 3> pages = {2, 0, 1};
  const auto keys = Numbers(4, 3 * kHeadDim * kPageTokens), values = Numbers(5, 3 * kPageTokens * kPaddedDim);
  const auto queries = Numbers(6, 2 * kGroup * kHeadDim);
  std::vector<float> out(queries.size());
  std::vector<float> scores(static_cast<size_t>(kAttentionTileRows * 3 * kPageTokens));
  AttentionTask task;
  task.queries = queries.data();
  task.query_stride = task.out_stride = kGroup * kHeadDim;
  task.out = out.data();
  task.tokens = 2;
  task.position = kTokens - 2;
  task.group = kGroup;
  task.head_dim = kHeadDim;
  task.padded_dim = kPaddedDim;
  task.pages = pages.data();
  task.page_tokens = kPageTokens;
  task.keys = keys.data();
  task.values = values.data();
  task.key_page_stride = kHeadDim * kPageTokens;
  task.value_page_stride = kPageTokens * kPaddedDim;
  task.scale = 1.0f / std::sqrt(static_cast<float>(kHeadDim));
  task.scores = scores.data();
  kernels.attention(task);
  Append(bytes, out);
}

void AppendRows(const KernelTable& kernels, std::string& bytes) {
  const auto a = Numbers(7, kInputs), b = Numbers(8, kInputs);
  std::vector<float> out(a.size());
  kernels.rms_norm(a.data(), b.data(), 1e-5f, kInputs, out.data());
  Append(bytes, out);
  for (const auto gated : {kernels.silu_multiply, kernels.gelu_multiply}) {
    gated(a.data(), b.data(), kInputs, out.data());
    Append(bytes, out);
  }
  const float sum = kernels.exponentials(a.data(), kInputs, kernels.maximum(a.data(), kInputs), 1.25f, out.data());
  Append(bytes, out);
  Append(bytes, std::vector{std::log(static_cast<double>(sum))});
}

void AppendPositions(std::string& bytes) {
  const model::RopeTable table = model::MakeRopeTable({}, kHeadDim, 300);
  Append(bytes, table.cosine);
  Append(bytes, table.sine);
}

}  // namespace

std::string ArithmeticId(const KernelTable& kernels) {
  std::string bytes;
  AppendLinear(kernels, bytes);
  AppendAttention(kernels, bytes);
  AppendRows(kernels, bytes);
  AppendPositions(bytes);
  return Sha256(bytes).substr(0, kDigits);
}

std::string DeviceArithmeticId(const ComputeOptions& compute) {
  const char* const numbers = compute.numbers == NumberType::kBFloat16 ? "bfloat16" : "float32";
  return Sha256(fmt::format("{}; {}; {}", compute.device->description.name, compute.device->entry->libraries, numbers))
      .substr(0, kDigits);
}

}  // namespace srlm::worker
