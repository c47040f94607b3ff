// Which judgements become lessons (EFT): those that agree with people, and not too many of one score.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/data/judge_template.h"
#include "common/data/source.h"

namespace srlm::data {

enum class OrderAgreement {
  kAgrees,     // no pair of answers stands in the other order, and the best is above the worst
  kUnparsed,   // an answer has no score
  kTied,       // a best answer has no higher score than a worst one
  kDisagrees,  // an answer that people ranked lower has the higher score
};
/// `agrees`, `unparsed`, `tied`, `order_disagrees`: as rejects name it.
std::string_view OrderAgreementName(OrderAgreement agreement);

/// Whether a judge's scores of a prompt's answers stand in people's order. Equal scores of neighbours are allowed, for
/// six scores cannot tell more answers apart. One score an answer; answers without a quality are not looked at.
OrderAgreement CompareOrder(const SourcePrompt& prompt, std::span<const std::optional<int>> scores);

/// A score for each answer from people's order alone: with L different qualities, the answers of the r-th from below
/// (r = 0 .. L - 1) get 5 r / (L - 1), rounded half up. None for an answer without a quality. The prompt is ranked.
std::vector<std::optional<int>> ScoresFromRanks(const SourcePrompt& prompt);

using ScoreHistogram = std::array<int64_t, kMaxScore + 1>;
ScoreHistogram CountScores(std::span<const int> scores);

/// Which rows stay when the most frequent score is cut down to the count of the second most frequent one: those of
/// that score with the lowest draws. `keys` name the rows: same seed and keys, same rows. One flag a row.
std::vector<bool> BalanceScores(std::span<const int> scores, std::span<const std::string> keys, uint64_t seed);

}  // namespace srlm::data
