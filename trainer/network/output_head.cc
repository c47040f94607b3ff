#include "trainer/network/output_head.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "trainer/kernels/row_kernels.h"

namespace srlm::trainer {
namespace {

constexpr int64_t kChunkBytes = int64_t{96} << 20;  // of logits at once
constexpr int64_t kMinChunkRows = 64;

/// Targets of a sample's sequences, which stand next to one another.
struct TargetRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t count() const { return end - begin; }
};
TargetRange TargetsOf(const Pack& pack, const PackedSample& sample) {
  const PackedSequence& first = pack.sequences[sample.sequence_begin];
  const PackedSequence& last = pack.sequences[sample.sequence_end - 1];
  return {first.target_begin, last.target_begin + last.target_count};
}

}  // namespace

OutputHead::OutputHead(at::Tensor weights)
    : weights_(std::move(weights)), chunk_rows_(std::max<int64_t>(kMinChunkRows, kChunkBytes / 4 / weights_.size(0))) {}

at::Tensor OutputHead::Logits(const at::Tensor& hidden, int64_t begin, int64_t count) {
  at::Tensor logits = logits_.Get(count, weights_.size(0));
  Multiply(logits, hidden.narrow(0, begin, count), weights_.t());
  return logits;
}

void OutputHead::Score(const Pack& pack, int64_t begin, const at::Tensor& logits) {
  const int64_t vocabulary = logits.size(1);
  at::parallel_for(0, logits.size(0), 1, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const float* values = logits.data_ptr<float>() + row * vocabulary;
      const auto target = static_cast<size_t>(begin + row);
      lse_[target] = kernels::LogSumExpRow(vocabulary, values);
      logp_[target] = static_cast<double>(values[pack.target_tokens[target]]) - lse_[target];
    }
  });
}

double OutputHead::SumOf(const PackedSequence& sequence) const {
  double sum = 0;
  for (int64_t i = 0; i < sequence.target_count; ++i) sum += logp_[static_cast<size_t>(sequence.target_begin + i)];
  return sum;
}

std::vector<double> OutputHead::SequenceLogp(const Pack& pack, const at::Tensor& hidden) {
  lse_.resize(static_cast<size_t>(pack.targets()));
  logp_.resize(lse_.size());
  for (int64_t begin = 0; begin < pack.targets(); begin += chunk_rows_) {
    Score(pack, begin, Logits(hidden, begin, std::min(chunk_rows_, pack.targets() - begin)));
  }
  std::vector<double> sums;
  for (const PackedSequence& sequence : pack.sequences) sums.push_back(SumOf(sequence));
  return sums;
}

void OutputHead::Backward(const Pack& pack, const at::Tensor& hidden, int64_t begin, int64_t count, at::Tensor& logits,
                          at::Tensor& d_hidden, at::Tensor& d_weights) {
  const int64_t vocabulary = logits.size(1);
  at::parallel_for(0, count, 1, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const auto target = static_cast<size_t>(begin + row);
      float* values = logits.data_ptr<float>() + row * vocabulary;
      kernels::LogSoftmaxBackwardRow(vocabulary, static_cast<float>(lse_[target]), coefficient_[target], values);
      values[pack.target_tokens[target]] += coefficient_[target];
    }
  });
  Multiply(d_hidden.narrow(0, begin, count), logits, weights_);
  if (d_weights.defined()) MultiplyAdd(d_weights, logits.t(), hidden.narrow(0, begin, count));
}

std::vector<double> OutputHead::SequenceLogpAndBackward(const Pack& pack, const at::Tensor& hidden,
                                                        const SequenceGradient& gradient, at::Tensor& d_hidden,
                                                        at::Tensor& d_weights) {
  lse_.resize(static_cast<size_t>(pack.targets()));
  logp_.resize(lse_.size());
  coefficient_.resize(lse_.size());
  std::vector<double> sums(pack.sequences.size()), d_sums(pack.sequences.size());
  const auto finish_sample = [&](const PackedSample& sample) {
    for (size_t i = sample.sequence_begin; i < sample.sequence_end; ++i) sums[i] = SumOf(pack.sequences[i]);
    const size_t count = sample.sequence_end - sample.sequence_begin;
    gradient(sample.sample, std::span(sums).subspan(sample.sequence_begin, count),
             std::span(d_sums).subspan(sample.sequence_begin, count));
    for (size_t i = sample.sequence_begin; i < sample.sequence_end; ++i) {
      const auto begin = coefficient_.begin() + pack.sequences[i].target_begin;
      std::fill(begin, begin + pack.sequences[i].target_count, static_cast<float>(d_sums[i]));
    }
  };
  size_t at = 0;
  while (at < pack.samples.size()) {
    // As many whole samples as fit a chunk, at least one.
    const TargetRange range_of_first = TargetsOf(pack, pack.samples[at]);
    size_t next = at + 1;
    int64_t end = range_of_first.end;
    while (next < pack.samples.size() &&
           TargetsOf(pack, pack.samples[next]).end - range_of_first.begin <= chunk_rows_) {
      end = TargetsOf(pack, pack.samples[next++]).end;
    }
    const int64_t begin = range_of_first.begin, count = end - begin;
    const bool fits = count <= chunk_rows_;
    at::Tensor logits;
    for (int64_t row = begin; row < end; row += chunk_rows_) {
      logits = Logits(hidden, row, std::min(chunk_rows_, end - row));
      Score(pack, row, logits);
    }
    for (; at < next; ++at) finish_sample(pack.samples[at]);
    for (int64_t row = begin; row < end; row += chunk_rows_) {
      const int64_t rows = std::min(chunk_rows_, end - row);
      if (!fits) logits = Logits(hidden, row, rows);
      Backward(pack, hidden, row, rows, logits, d_hidden, d_weights);
    }
  }
  return sums;
}

}  // namespace srlm::trainer
