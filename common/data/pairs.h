// From votes to scores, and from scores to a preference pair; each prompt without a pair has its reason.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace srlm::data {

/// Mean of the votes that have a score; none when no vote has one. Unparsed votes are left out, never 0.
std::optional<double> MeanScore(std::span<const std::optional<double>> votes);

/// One answer of a prompt, as pair building sees it.
struct ScoredCandidate {
  int sample = 0;
  std::optional<double> score;  // mean of its votes
  bool cut = false;             // ended at the token limit
  std::string text_key;         // equal for equal answers (text or hash); empty: not compared
};

/// What became of a candidate.
enum class CandidateUse { kChosen, kRejected, kBetween, kUnscored, kCut };
std::string_view CandidateUseName(CandidateUse use);

enum class PairOutcome {
  kPaired,
  kTie,               // the highest score equals the lowest
  kGapTooSmall,       // highest minus lowest is below min_gap
  kTooFewCandidates,  // fewer than two are scored and not dropped
  kSameText,          // the two answers are the same text
};
std::string_view PairOutcomeName(PairOutcome outcome);

struct PairOptions {
  double min_gap = 0.0;   // least difference of scores; a difference of 0 is always a tie
  bool keep_cut = false;  // whether answers cut at the limit may be in a pair
};

struct PairDecision {
  PairOutcome outcome = PairOutcome::kTooFewCandidates;
  int chosen_sample = -1;    // set when paired
  int rejected_sample = -1;  // set when paired
  double chosen_score = 0;
  double rejected_score = 0;
  std::vector<CandidateUse> uses;  // one a candidate, in the order given
  std::string reason;              // for people: what decided, with the numbers

  bool paired() const { return outcome == PairOutcome::kPaired; }
};

/// The rule `extremes`: the highest score is chosen, the lowest rejected; of equal ones the lowest sample index.
PairDecision ChooseExtremes(std::span<const ScoredCandidate> candidates, const PairOptions& options = {});

}  // namespace srlm::data
