// A judgement's verdict: the last `Score: n` of its text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace srlm::data {

enum class VerdictState {
  kParsed,
  kAbsent,      // no `Score:` with a number
  kOutOfRange,  // the last one has a number that is not a whole number from 0 to 5: 6, -1, 45, 4.5, 4/10
};

/// `parsed`, `absent`, `out_of_range`: as rows and the ledger store it.
std::string_view VerdictStateName(VerdictState state);
std::optional<VerdictState> VerdictStateFromName(std::string_view name);

struct Verdict {
  std::optional<int> score;  // 0 to 5; set exactly when parsed
  VerdictState state = VerdictState::kAbsent;
  bool operator==(const Verdict&) const = default;
};

/// Reads a judgement (the judge's words alone, never the question). The last match counts: `Score`, in any case
/// and as a word of its own, then `:`, `=` or a dash between spaces, then the number. Markdown marks, brackets and
/// quotes around them are passed over; `/5` or `out of 5` may follow. An earlier match never stands in for a bad
/// last one. A number on the line after `Score:` counts when it has the line to itself.
Verdict ParseVerdict(std::string_view judgement);

/// A verdict's place: from `Score` to what ends it, its scale and closing marks with it. Both are 0 when it is absent.
struct FoundVerdict {
  Verdict verdict;
  size_t begin = 0;
  size_t end = 0;
};

/// The verdict that ParseVerdict reads, with its place.
FoundVerdict FindVerdict(std::string_view judgement);

}  // namespace srlm::data
