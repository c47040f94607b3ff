// Final norm's output to log-probabilities of the targets, and back. Logits exist for a chunk of targets only.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/batches/pack.h"
#include "trainer/network/matrix.h"

namespace srlm::trainer {

/// Given the summed log-probabilities of one sample's sequences (chosen and rejected, or one), returns in place the
/// gradient of the loss by each of them. `sample` is PackedSample::sample. Called once a sample, in order.
using SequenceGradient = std::function<void(size_t sample, std::span<const double> logp, std::span<double> d_logp)>;

class OutputHead {
 public:
  /// lm_head [vocabulary, hidden].
  explicit OutputHead(at::Tensor weights);

  /// Summed log-probability of each sequence of the pack. hidden [targets, hidden] is the final norm's output at
  /// target_rows.
  std::vector<double> SequenceLogp(const Pack& pack, const at::Tensor& hidden);

  /// The same, with d_hidden [targets, hidden] overwritten and d_weights (undefined: not wanted) added to, by
  /// `gradient`. A sample whose targets fit a chunk has its logits computed once, a longer one twice.
  std::vector<double> SequenceLogpAndBackward(const Pack& pack, const at::Tensor& hidden,
                                              const SequenceGradient& gradient, at::Tensor& d_hidden,
                                              at::Tensor& d_weights);

 private:
  at::Tensor Logits(const at::Tensor& hidden, int64_t begin, int64_t count);
  void Backward(const Pack& pack, const at::Tensor& hidden, int64_t begin, int64_t count, at::Tensor& logits,
                at::Tensor& d_hidden, at::Tensor& d_weights);
  void Score(const Pack& pack, int64_t begin, const at::Tensor& logits);
  double SumOf(const PackedSequence& sequence) const;

  at::Tensor weights_;
  int64_t chunk_rows_;
  Workspace logits_;
  std::vector<double> lse_;         // by target
  std::vector<double> logp_;        // by target
  std::vector<float> coefficient_;  // by target: gradient of the loss by its log-probability
};

}  // namespace srlm::trainer
