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
  int tokens = 0;               // its length
  bool anchor = false;          // of an earlier model
  std::string text_key;         // equal for equal answers (text or hash); empty: not compared
};

/// What became of a candidate.
enum class CandidateUse { kChosen, kRejected, kBetween, kUnscored, kCut };
std::string_view CandidateUseName(CandidateUse use);

enum class PairOutcome {
  kPaired,
  kTie,               // the highest score equals the lowest
  kGapTooSmall,       // the two scores differ by less than min_gap
  kTooFewCandidates,  // fewer than two are scored and not dropped
  kSameText,          // the two answers are the same text
  kNotBetter,         // anchored: the best answer scored less than the worst of the anchor
  kPositive,          // positive: no pair, but a good answer
  kNoneGoodEnough,    // positive: no answer has the least score
};
std::string_view PairOutcomeName(PairOutcome outcome);

/// How the two answers of a pair are found (the configuration's pairs.rule); each has a file of its own in pairs/.
enum class PairMethod { kExtremes, kLengthControlled, kAnchored, kPositive };

struct PairOptions {
  PairMethod method = PairMethod::kExtremes;
  double min_gap = 0.0;   // least difference of scores; a difference of 0 is always a tie
  bool keep_cut = false;  // whether answers cut at the limit may be in a pair
  int max_pairs = 1;      // of the prompt
  double rho = 0.2;       // length-controlled: share of the range of scores that counts as equally good, below 0.5
  double positive_min_score = 5;  // positive: least score
};

/// Two answers; with `positive` one, and the fields of the rejected one are as here.
struct ChosenPair {
  int chosen_sample = -1;
  int rejected_sample = -1;
  double chosen_score = 0;
  double rejected_score = 0;
  int chosen_tokens = 0;
  int rejected_tokens = 0;
  std::string reason;  // for people: what decided, with the numbers
};

struct PairDecision {
  PairOutcome outcome = PairOutcome::kTooFewCandidates;  // of the first pair
  std::vector<ChosenPair> pairs;                         // empty unless paired or positive
  std::vector<CandidateUse> uses;                        // one a candidate, in the order given
  std::string reason;                                    // for people: why there is no pair

  bool paired() const { return outcome == PairOutcome::kPaired; }
};

/// Applies the rule to a prompt's candidates, then to those that are left, until it gives no pair or there are
/// `max_pairs`: no answer is in two pairs. With `extremes` that is the best against the worst, the second best against
/// the second worst, and so on. `positive` takes every good answer, whatever max_pairs is. Does not depend on the order
/// of the candidates, but on their sample indices.
PairDecision ChoosePairs(std::span<const ScoredCandidate> candidates, const PairOptions& options = {});

}  // namespace srlm::data
