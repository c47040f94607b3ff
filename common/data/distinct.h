// How varied a model's answers are.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace srlm::data {

/// Distinct-n (Li et al., arXiv 1510.03055): different runs of n words divided by all runs of n words, over all texts
/// together; words as PlainWords. It falls as texts grow more, so only sets of answers to the same prompts compare.
/// None without such a run: nothing was measured.
std::optional<double> Distinct(std::span<const std::string> texts, int n);

}  // namespace srlm::data
