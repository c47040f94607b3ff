#include "trainer/batches/plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/check.h"
#include "common/base/random.h"

namespace srlm::trainer {
namespace {

int64_t StepsOfEpoch(const DataOrder& order) { return (order.samples + order.global_batch - 1) / order.global_batch; }

/// First-fit decreasing: `indices` come with the longest first.
std::vector<std::vector<size_t>> FillMicroBatches(std::span<const Sample> samples, std::span<const size_t> indices,
                                                  int64_t budget) {
  std::vector<std::vector<size_t>> batches;
  std::vector<int64_t> tokens;
  for (const size_t index : indices) {
    const int64_t more = samples[index].packed_tokens();
    size_t place = 0;
    while (place < batches.size() && tokens[place] + more > budget) ++place;
    if (place == batches.size()) {
      batches.emplace_back();
      tokens.push_back(0);
    }
    batches[place].push_back(index);
    tokens[place] += more;
  }
  return batches;
}

}  // namespace

int64_t TotalSteps(const DataOrder& order) {
  if (order.max_steps > 0) return order.max_steps;
  if (order.epochs == 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(order.epochs * static_cast<double>(StepsOfEpoch(order)))));
}

int64_t SamplesBefore(const DataOrder& order, int64_t step) {
  const int64_t steps = StepsOfEpoch(order);
  return step / steps * order.samples + std::min(step % steps * order.global_batch, order.samples);
}

std::vector<size_t> OrderOfEpoch(std::string_view name, int64_t count, bool shuffle, uint64_t seed, int64_t epoch) {
  std::vector<size_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), size_t{0});
  if (!shuffle) return indices;
  const RandomStream random(seed, {StreamId(name), static_cast<uint64_t>(epoch)});
  for (size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random.Below(i, i)]);
  return indices;
}

SampleOrder::SampleOrder(const DataOrder& order) : order_(order) {
  SRLM_CHECK(order.samples > 0 && order.global_batch > 0, "an order of nothing");
}

void SampleOrder::GoToEpoch(int64_t epoch) {
  if (epoch == epoch_) return;
  of_epoch_ = OrderOfEpoch("data order", order_.samples, order_.shuffle, order_.seed, epoch);
  epoch_ = epoch;
}

std::vector<size_t> SampleOrder::Step(int64_t step) {
  const int64_t steps = StepsOfEpoch(order_);
  GoToEpoch(step / steps);
  const int64_t begin = step % steps * order_.global_batch;
  const int64_t end = std::min(begin + order_.global_batch, order_.samples);
  return {of_epoch_.begin() + begin, of_epoch_.begin() + end};
}

std::vector<size_t> SampleOrder::AfterFirstStep() {
  GoToEpoch(0);  // later epochs have no other samples
  const int64_t steps = std::min(TotalSteps(order_), StepsOfEpoch(order_));
  const int64_t begin = std::min(order_.global_batch, order_.samples);
  const int64_t end = std::max(begin, std::min(steps * order_.global_batch, order_.samples));
  return {of_epoch_.begin() + begin, of_epoch_.begin() + end};
}

StepPlan PlanStep(std::span<const Sample> samples, std::span<const size_t> step_samples, int ranks,
                  int64_t micro_batch_tokens) {
  std::vector<size_t> longest_first(step_samples.begin(), step_samples.end());
  std::ranges::stable_sort(longest_first, std::greater(), [&](size_t index) { return samples[index].packed_tokens(); });
  std::vector<std::vector<size_t>> of_rank(static_cast<size_t>(ranks));
  std::vector<int64_t> tokens(static_cast<size_t>(ranks), 0);
  for (const size_t index : longest_first) {
    const auto least = static_cast<size_t>(std::ranges::min_element(tokens) - tokens.begin());
    of_rank[least].push_back(index);
    tokens[least] += samples[index].packed_tokens();
  }
  StepPlan plan;
  size_t most = 0;
  for (const auto& indices : of_rank) {
    plan.ranks.push_back(FillMicroBatches(samples, indices, micro_batch_tokens));
    most = std::max(most, plan.ranks.back().size());
  }
  for (auto& batches : plan.ranks) batches.resize(most);
  return plan;
}

}  // namespace srlm::trainer
