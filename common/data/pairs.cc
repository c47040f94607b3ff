#include "common/data/pairs.h"

#include <fmt/format.h>

namespace srlm::data {
namespace {

/// Index of the best candidate among those that may be in a pair; `better` is strict, so that of equal scores the
/// lowest sample index stays.
template <class Better>
int Best(std::span<const ScoredCandidate> candidates, const std::vector<CandidateUse>& uses, Better better) {
  int best = -1;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (uses[i] != CandidateUse::kBetween) continue;
    const ScoredCandidate& each = candidates[i];
    if (best < 0) {
      best = static_cast<int>(i);
      continue;
    }
    const ScoredCandidate& so_far = candidates[best];
    const bool lower_sample = *each.score == *so_far.score && each.sample < so_far.sample;
    if (better(*each.score, *so_far.score) || lower_sample) best = static_cast<int>(i);
  }
  return best;
}

}  // namespace

std::optional<double> MeanScore(std::span<const std::optional<double>> votes) {
  double sum = 0;
  int count = 0;
  for (const std::optional<double>& vote : votes) {
    if (!vote) continue;
    sum += *vote;
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional<double>(sum / count);
}

std::string_view CandidateUseName(CandidateUse use) {
  switch (use) {
    case CandidateUse::kChosen: return "chosen";
    case CandidateUse::kRejected: return "rejected";
    case CandidateUse::kBetween: return "between";
    case CandidateUse::kUnscored: return "unscored";
    case CandidateUse::kCut: return "cut";
  }
  return "?";
}

std::string_view PairOutcomeName(PairOutcome outcome) {
  switch (outcome) {
    case PairOutcome::kPaired: return "paired";
    case PairOutcome::kTie: return "tie";
    case PairOutcome::kGapTooSmall: return "gap_too_small";
    case PairOutcome::kTooFewCandidates: return "too_few_candidates";
    case PairOutcome::kSameText: return "same_text";
  }
  return "?";
}

PairDecision ChooseExtremes(std::span<const ScoredCandidate> candidates, const PairOptions& options) {
  PairDecision decision;
  int cut = 0, unscored = 0;
  for (const ScoredCandidate& candidate : candidates) {
    const bool dropped = candidate.cut && !options.keep_cut;
    decision.uses.push_back(dropped           ? CandidateUse::kCut
                            : candidate.score ? CandidateUse::kBetween
                                              : CandidateUse::kUnscored);
    cut += dropped;
    unscored += !dropped && !candidate.score;
  }
  const int usable = static_cast<int>(candidates.size()) - cut - unscored;
  if (usable < 2) {
    decision.reason = fmt::format("{} of {} candidates can be in a pair ({} cut, {} unscored)", usable,
                                  candidates.size(), cut, unscored);
    return decision;
  }
  const int high = Best(candidates, decision.uses, [](double a, double b) { return a > b; });
  const int low = Best(candidates, decision.uses, [](double a, double b) { return a < b; });
  const double gap = *candidates[high].score - *candidates[low].score;
  // Means of the same votes summed in another order may differ in the last bits.
  constexpr double kRounding = 1e-9;
  if (gap <= kRounding) {
    decision.outcome = PairOutcome::kTie;
    decision.reason = fmt::format("all {} scored candidates have the score {:.4g}", usable, *candidates[high].score);
    return decision;
  }
  if (gap < options.min_gap - kRounding) {
    decision.outcome = PairOutcome::kGapTooSmall;
    decision.reason = fmt::format("scores {:.4g} and {:.4g} differ by less than {:.4g}", *candidates[high].score,
                                  *candidates[low].score, options.min_gap);
    return decision;
  }
  if (!candidates[high].text_key.empty() && candidates[high].text_key == candidates[low].text_key) {
    decision.outcome = PairOutcome::kSameText;
    decision.reason =
        fmt::format("samples {} and {} are the same text, scored {:.4g} and {:.4g}", candidates[high].sample,
                    candidates[low].sample, *candidates[high].score, *candidates[low].score);
    return decision;
  }
  decision.outcome = PairOutcome::kPaired;
  decision.chosen_sample = candidates[high].sample;
  decision.rejected_sample = candidates[low].sample;
  decision.chosen_score = *candidates[high].score;
  decision.rejected_score = *candidates[low].score;
  decision.uses[high] = CandidateUse::kChosen;
  decision.uses[low] = CandidateUse::kRejected;
  decision.reason = fmt::format("sample {} scored {:.4g}, sample {} scored {:.4g}", decision.chosen_sample,
                                decision.chosen_score, decision.rejected_sample, decision.rejected_score);
  return decision;
}

}  // namespace srlm::data
