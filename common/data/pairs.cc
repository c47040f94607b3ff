#include "common/data/pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/data/pairs/rules.h"

namespace srlm::data {
namespace {

// Means of the same votes summed in another order may differ in the last bits.
constexpr double kRounding = 1e-9;

pairs::Contrast Find(std::span<const pairs::RatedCandidate> left, const PairOptions& options) {
  switch (options.method) {
    case PairMethod::kExtremes: return pairs::Extremes(left);
    case PairMethod::kLengthControlled: return pairs::LengthControlled(left, options.rho);
    case PairMethod::kAnchored: return pairs::Anchored(left);
    case PairMethod::kPositive: break;
  }
  return {};
}

/// Adds the pair that the rule finds among `left`, of at least two; or says why there is none.
PairOutcome AddPair(std::span<const pairs::RatedCandidate> left, const PairOptions& options, PairDecision& decision) {
  const pairs::Contrast found = Find(left, options);
  if (found.chosen == nullptr) {
    decision.reason = "of the candidates that can be in a pair none is the anchor's, or all are";
    return PairOutcome::kTooFewCandidates;
  }
  const pairs::RatedCandidate &chosen = *found.chosen, &rejected = *found.rejected;
  const double gap = chosen.score - rejected.score;
  if (rejected.anchor && gap <= kRounding) {
    decision.reason = found.reason + ", not less";
    return gap < -kRounding ? PairOutcome::kNotBetter : PairOutcome::kTie;
  }
  if (gap <= kRounding) {
    decision.reason = fmt::format("all {} scored candidates have the score {:.4g}", left.size(), chosen.score);
    return PairOutcome::kTie;
  }
  if (gap < options.min_gap - kRounding) {
    decision.reason = fmt::format("scores {:.4g} and {:.4g} differ by less than {:.4g}", chosen.score, rejected.score,
                                  options.min_gap);
    return PairOutcome::kGapTooSmall;
  }
  if (!chosen.text_key.empty() && chosen.text_key == rejected.text_key) {
    decision.reason = fmt::format("samples {} and {} are the same text, scored {:.4g} and {:.4g}", chosen.sample,
                                  rejected.sample, chosen.score, rejected.score);
    return PairOutcome::kSameText;
  }
  const std::string earlier = decision.pairs.empty() ? "" : fmt::format("after {} pairs, ", decision.pairs.size());
  decision.pairs.push_back({chosen.sample, rejected.sample, chosen.score, rejected.score, chosen.tokens,
                            rejected.tokens, earlier + found.reason});
  return PairOutcome::kPaired;
}

void AddPairs(std::vector<pairs::RatedCandidate>& left, const PairOptions& options, PairDecision& decision) {
  while (left.size() >= 2 && static_cast<int>(decision.pairs.size()) < options.max_pairs) {
    const PairOutcome outcome = AddPair(left, options, decision);
    if (decision.pairs.empty()) decision.outcome = outcome;
    if (outcome != PairOutcome::kPaired) break;
    const ChosenPair& pair = decision.pairs.back();
    std::erase_if(left, [&](const pairs::RatedCandidate& each) {
      return each.sample == pair.chosen_sample || each.sample == pair.rejected_sample;
    });
  }
  if (decision.pairs.empty()) return;
  decision.outcome = PairOutcome::kPaired;
  decision.reason.clear();
}

void AddGood(std::span<const pairs::RatedCandidate> left, const PairOptions& options, PairDecision& decision) {
  decision.pairs = pairs::Positive(left, options.positive_min_score);
  decision.outcome = decision.pairs.empty() ? PairOutcome::kNoneGoodEnough : PairOutcome::kPositive;
  if (!decision.pairs.empty()) return;
  const auto best = std::ranges::max_element(left, {}, [](const pairs::RatedCandidate& each) { return each.score; });
  decision.reason =
      fmt::format("the best answer scored {:.4g}, less than {:.4g}", best->score, options.positive_min_score);
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
    case PairOutcome::kNotBetter: return "not_better";
    case PairOutcome::kPositive: return "positive";
    case PairOutcome::kNoneGoodEnough: return "none_good_enough";
  }
  return "?";
}

PairDecision ChoosePairs(std::span<const ScoredCandidate> candidates, const PairOptions& options) {
  PairDecision decision;
  std::vector<pairs::RatedCandidate> left;
  int cut = 0, unscored = 0;
  for (const ScoredCandidate& candidate : candidates) {
    const bool dropped = candidate.cut && !options.keep_cut;
    decision.uses.push_back(dropped           ? CandidateUse::kCut
                            : candidate.score ? CandidateUse::kBetween
                                              : CandidateUse::kUnscored);
    cut += dropped;
    unscored += !dropped && !candidate.score;
    if (candidate.score && !dropped)
      left.push_back({candidate.sample, *candidate.score, candidate.tokens, candidate.anchor, candidate.text_key});
  }
  const bool positive = options.method == PairMethod::kPositive;
  if (left.size() < (positive ? 1 : 2)) {
    decision.reason = fmt::format("{} of {} candidates can be {} ({} cut, {} unscored)", left.size(), candidates.size(),
                                  positive ? "trained on" : "in a pair", cut, unscored);
    return decision;
  }
  if (positive)
    AddGood(left, options, decision);
  else
    AddPairs(left, options, decision);
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (const ChosenPair& pair : decision.pairs) {
      if (candidates[i].sample == pair.chosen_sample) decision.uses[i] = CandidateUse::kChosen;
      if (candidates[i].sample == pair.rejected_sample) decision.uses[i] = CandidateUse::kRejected;
    }
  }
  return decision;
}

}  // namespace srlm::data
