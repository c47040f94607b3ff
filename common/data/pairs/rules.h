// The rules that find a pair among a prompt's candidates. Each has a file of its own, named after it.
#pragma once

#include <span>
#include <string>

#include "common/data/pairs.h"

namespace srlm::data::pairs {

/// A candidate that has a score and may be in a pair.
struct RatedCandidate {
  int sample = 0;
  double score = 0;
  int tokens = 0;
  bool anchor = false;
  std::string text_key;
};

/// The two answers that a rule sets against each other, and why these; null when it finds none. They may have equal
/// scores or the same text: whether they become a pair is decided by who asks.
struct Contrast {
  const RatedCandidate* chosen = nullptr;
  const RatedCandidate* rejected = nullptr;
  std::string reason;
};

// At least two candidates are given; equal ones in a rule's eyes are told apart by the lower sample
// index.

/// The highest score against the lowest (arXiv 2401.10020).
Contrast Extremes(std::span<const RatedCandidate> candidates);

/// The shortest answer of the upper tier against the longest of the lower (Meta-Rewarding, arXiv 2407.19594,
/// section 2.2): with the highest score H and the lowest L, the upper tier is scores of at least (1 - rho) H + rho L,
/// the lower those of at most (1 - rho) L + rho H. Below 0.5 no answer is in both. Of equally long ones the higher
/// (lower) score.
Contrast LengthControlled(std::span<const RatedCandidate> candidates, double rho);

/// The highest score against the lowest of the anchor's answers (Temporal Self-Rewarding, arXiv 2508.06026, anchored
/// rejection); null without an answer of either kind.
Contrast Anchored(std::span<const RatedCandidate> candidates);

/// No pairs, but the answers with a score of at least `min_score` (arXiv 2401.10020, "positive examples only"), by
/// sample index.
std::vector<ChosenPair> Positive(std::span<const RatedCandidate> candidates, double min_score);

}  // namespace srlm::data::pairs
