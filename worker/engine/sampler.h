// From logits to a token: temperature, then the nucleus (top-p, arXiv 1904.09751), without sorting the vocabulary.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/engine/kernels/kernels.h"
#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// What every use of a row of logits needs: its largest value and the logarithm of its summed exponentials.
struct LogitSummary {
  float largest = 0;
  double log_sum = 0;  // log(sum(exp(logits))), so that logprob(t) = logits[t] - log_sum; NaN: not all are finite
};
LogitSummary Summarize(const KernelTable& kernels, const float* logits, int64_t vocabulary);

/// Scratch memory of one thread.
struct SamplerScratch {
  std::vector<float> probabilities;
  std::vector<int> candidates;
};

/// The next token for a draw. Temperature 0 takes the first largest logit. With top_p 1 the draw walks the whole
/// vocabulary in order of id; below, the smallest set of most probable tokens whose mass reaches top_p, in order of
/// falling probability (ties: lower id first). The result depends on the logits and the draw alone. Token -1 where the
/// logits are no finite numbers.
SampledToken SampleToken(const KernelTable& kernels, const float* logits, int64_t vocabulary,
                         const LogitSummary& summary, const SampleRow& row, SamplerScratch& scratch);

}  // namespace srlm::worker
