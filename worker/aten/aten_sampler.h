// From rows of logits to tokens and log-probabilities on a device, all rows at once: what sampler.h says of one.
#pragma once

#include <ATen/ATen.h>

#include <span>

#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// Fills `samples` and `scores`, for logits [rows, vocabulary] in float32 that are the rows [first, first + rows) of
/// the batch's logits: those that are read off them, and no other. The host waits for the device once. `kernels` (null:
/// ATen's operations) draws by its own top-p sampling, whose draws are others with the same probabilities.
Status ReadLogits(const at::Tensor& logits, int first, std::span<const SampleRow> sample_rows,
                  std::span<const ScoreRow> score_rows, const device::EntryPoints* kernels,
                  std::span<SampledToken> samples, std::span<float> scores);

}  // namespace srlm::worker
