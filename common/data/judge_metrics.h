// How well a judge's scores agree with people's ranking: figures with n and a 95 % interval.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/figure.h"

namespace srlm::data {

/// One answer that people ranked and the judge scored.
struct JudgedAnswer {
  std::string prompt_id;
  double quality = 0;               // people's; higher is better within a prompt
  std::optional<double> predicted;  // the judge's; none when no vote parsed
  int64_t characters = 0;           // of the answer (Unicode code points)
};

/// Pairs are two answers of a prompt that people ranked unequal and the judge scored both; answers without a score
/// are in no pair and no correlation, and show in parse_rate.
struct JudgeMetrics {
  int64_t prompts = 0;
  int64_t answers = 0;
  Figure pairwise_accuracy;                 // over pairs; a tie of the judge counts one half
  Figure pairwise_accuracy_length_matched;  // over pairs whose lengths differ at most 1.3 times
  Figure predicted_ties;                    // over pairs: share that the judge scored equal
  /// Over prompts with a pair and every answer scored: all pairs are right, so that none is a tie of the judge. Answers
  /// that people ranked equal are in no pair: their scores may stand in any order.
  Figure exact_match;
  /// Over answers whose score rounds to 5 (4.5 and more), of prompts whose answers people did not rank all equal: the
  /// share that people ranked best, or equal to the best.
  Figure five_best;
  Figure spearman;            // mean over prompts with a pair; 0 where the judge scored all equal
  Figure kendall;             // tau-b, mean over the same prompts
  Figure parse_rate;          // over answers: share with a score
  Figure length_correlation;  // Pearson of score and characters over scored answers
  Figure longer_wins;         // over pairs, scored or not: the baseline "the longer is better"; equal lengths one half
  Figure longer_wins_length_matched;
};

/// `resamples` draws of the bootstrap are named by `seed`: the same input gives the same intervals.
JudgeMetrics ComputeJudgeMetrics(std::span<const JudgedAnswer> answers, uint64_t seed, int resamples = 1000);

/// How much better another judge of the same answers is: its figure less the first one's. Prompts are drawn for both
/// together, so that what makes a prompt hard for both does not widen the interval; pairs are those that both scored.
/// `before` and `after` are of the same answers, in the same order.
struct JudgeGain {
  Figure pairwise_accuracy;
  Figure pairwise_accuracy_length_matched;
};
JudgeGain ComputeJudgeGain(std::span<const JudgedAnswer> before, std::span<const JudgedAnswer> after, uint64_t seed,
                           int resamples = 1000);
nlohmann::json ToJson(const JudgeGain& gain);

/// {"pairwise_accuracy": {"value", "n", "low", "high"}, ...}; value, low and high are null when n is 0.
nlohmann::json ToJson(const JudgeMetrics& metrics);

/// Whether two lengths in characters differ at most 1.3 times.
bool LengthMatched(int64_t a, int64_t b);

/// Number of Unicode code points of UTF-8 text.
int64_t CountCharacters(std::string_view text);

}  // namespace srlm::data
