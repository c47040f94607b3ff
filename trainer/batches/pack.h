// A micro-batch as one row of tokens without padding, and who attends to whom in it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/batches/sample.h"

namespace srlm::trainer {

/// Queries [begin, begin + count) attend to the prefix rows and, causally, to their own rows. Rows are tokens of the
/// pack.
struct AttentionSegment {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t prefix_begin = 0;
  int64_t prefix_count = 0;
};

/// A response inside the pack: targets [target_begin, target_begin + target_count) are its tokens.
struct PackedSequence {
  int64_t target_begin = 0;
  int64_t target_count = 0;
};

/// One sample of the pack: its segments and sequences, by index. Only segments of the same sample share rows.
struct PackedSample {
  size_t sample = 0;  // index into what was packed
  size_t segment_begin = 0, segment_end = 0;
  size_t sequence_begin = 0, sequence_end = 0;  // one (SFT) or two (chosen, rejected)
};

/// [prompt][response] for SFT, [prompt][chosen][rejected] for DPO, sample after sample. Both responses' positions go on
/// where the prompt ends. The prompt's last row predicts the first token of each response.
struct Pack {
  std::vector<int64_t> tokens;     // [tokens]
  std::vector<int64_t> positions;  // [tokens]
  std::vector<AttentionSegment> segments;
  std::vector<int64_t> target_rows;    // [targets] the row whose hidden state predicts the target
  std::vector<int64_t> target_tokens;  // [targets]
  std::vector<PackedSequence> sequences;
  std::vector<PackedSample> samples;

  int64_t size() const { return static_cast<int64_t>(tokens.size()); }
  int64_t targets() const { return static_cast<int64_t>(target_rows.size()); }
};

/// Packs samples[i] for each i of `indices`; `PackedSample::sample` is that i.
Pack MakePack(std::span<const Sample> samples, std::span<const size_t> indices);

}  // namespace srlm::trainer
