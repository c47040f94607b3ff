#include "common/data/pairwise_verdict.h"

#include <array>
#include <cctype>
#include <cmath>
#include <utility>

namespace srlm::data {
namespace {

constexpr std::array<std::pair<PairVerdict, std::string_view>, 3> kNames = {
    {{PairVerdict::kA, "a"}, {PairVerdict::kB, "b"}, {PairVerdict::kTie, "tie"}}};

PairVerdict Turned(PairVerdict verdict) {
  return verdict == PairVerdict::kA ? PairVerdict::kB : verdict == PairVerdict::kB ? PairVerdict::kA : verdict;
}

PairVerdict VerdictOf(double prefers_first) {
  return prefers_first > 0.5 ? PairVerdict::kA : prefers_first < 0.5 ? PairVerdict::kB : PairVerdict::kTie;
}

}  // namespace

std::string_view PairVerdictName(PairVerdict verdict) {
  for (const auto& [each, name] : kNames)
    if (each == verdict) return name;
  return "?";
}

std::optional<PairVerdict> PairVerdictFromName(std::string_view name) {
  for (const auto& [verdict, spelled] : kNames)
    if (spelled == name) return verdict;
  return std::nullopt;
}

std::optional<PairVerdict> ParsePairVerdict(std::string_view judgement) {
  const size_t open = judgement.rfind("[[");
  if (open == std::string_view::npos) return std::nullopt;
  const size_t begin = open + 2, close = judgement.find("]]", begin);
  if (close == std::string_view::npos) return std::nullopt;
  std::optional<char> letter;
  for (const char c : judgement.substr(begin, close - begin)) {
    if (std::string_view(" \t*_`").find(c) != std::string_view::npos) continue;
    if (letter) return std::nullopt;  // a word, not a letter
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (letter == 'A') return PairVerdict::kA;
  if (letter == 'B') return PairVerdict::kB;
  if (letter == 'C') return PairVerdict::kTie;
  return std::nullopt;
}

OrderVerdict VerdictOfVotes(std::span<const std::optional<PairVerdict>> votes) {
  double sum = 0;
  int parsed = 0;
  for (const std::optional<PairVerdict>& vote : votes) {
    if (!vote) continue;
    ++parsed;
    sum += *vote == PairVerdict::kA ? 1.0 : *vote == PairVerdict::kTie ? 0.5 : 0.0;
  }
  if (parsed == 0) return {};
  return {VerdictOf(sum / parsed), sum / parsed};
}

std::vector<std::string> PairLetters() { return {"A", "B"}; }

OrderVerdict VerdictOfLogprobs(std::span<const double> letter_logprobs) {
  const double prefers_first = 1 / (1 + std::exp(letter_logprobs[1] - letter_logprobs[0]));
  return {VerdictOf(prefers_first), prefers_first};
}

Comparison CompareOrders(const OrderVerdict& forward, const OrderVerdict& backward) {
  if (!forward.verdict || !backward.verdict) return {};
  const PairVerdict first = *forward.verdict, second = Turned(*backward.verdict);
  return {.verdict = first == second ? first : PairVerdict::kTie,
          .prefers_x = (*forward.prefers_first + 1 - *backward.prefers_first) / 2,
          .flipped = first == Turned(second) && first != PairVerdict::kTie};
}

}  // namespace srlm::data
