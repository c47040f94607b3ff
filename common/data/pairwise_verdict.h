// Which of two answers a judge prefers: read from its words, counted over votes, and settled over both orders.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace srlm::data {

enum class PairVerdict { kA, kB, kTie };

/// `a`, `b`, `tie`: as rows and the ledger store it.
std::string_view PairVerdictName(PairVerdict verdict);
std::optional<PairVerdict> PairVerdictFromName(std::string_view name);

/// Reads a judge's words (never the question): the last `[[A]]`, `[[B]]` or `[[C]]`, which is a tie, in any case and
/// with spaces or markdown marks inside the brackets. None when the last `[[...]]` holds something else, or when there
/// is none: an earlier match never stands in for a bad last one.
std::optional<PairVerdict> ParsePairVerdict(std::string_view judgement);

/// What a judge was asked about two answers x and y in one order, and said. `a` is the answer that stood first.
struct OrderVerdict {
  std::optional<PairVerdict> verdict;   // none: nothing could be read
  std::optional<double> prefers_first;  // in [0, 1]: how much it prefers a to b; set exactly when verdict is
};

/// Of sampled votes: the sign of a's lead over b; prefers_first is the mean of 1, 1/2 and 0 over the votes that could
/// be read.
OrderVerdict VerdictOfVotes(std::span<const std::optional<PairVerdict>> votes);

/// Texts of one token each that may follow kVerdictPrefix: "A" and "B".
std::vector<std::string> PairLetters();

/// Of the log-probabilities of A and B after the opened verdict: prefers_first is P(A) / (P(A) + P(B)).
OrderVerdict VerdictOfLogprobs(std::span<const double> letter_logprobs);

/// Both orders together, from the view of x, which stood first in `forward` and second in `backward`.
struct Comparison {
  std::optional<PairVerdict> verdict;  // a: x in both orders; b: y in both; else a tie. None: an order has no verdict
  std::optional<double> prefers_x;     // mean of both orders: a preference for a place cancels out
  bool flipped = false;                // one order said x and the other y
};
Comparison CompareOrders(const OrderVerdict& forward, const OrderVerdict& backward);

}  // namespace srlm::data
