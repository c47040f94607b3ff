#include "common/data/justification.h"

#include <fmt/format.h>

#include "common/data/judge_template.h"
#include "common/data/overlap.h"
#include "common/data/verdict.h"

namespace srlm::data {
namespace {

constexpr size_t kFewestWords = 3;
constexpr std::string_view kSpaces = " \t\r\n";

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin));
}

/// Up to the last sign that ends a sentence; nothing without one.
std::string_view WholeSentences(std::string_view text) {
  for (size_t end = text.find_last_of(".!?"); end != std::string_view::npos && end > 0;
       end = text.find_last_of(".!?", end - 1)) {
    const bool at_space = end + 1 == text.size() || kSpaces.find(text[end + 1]) != std::string_view::npos;
    if (at_space) return text.substr(0, end + 1);
  }
  return {};
}

}  // namespace

Justification TakeJustification(std::string_view judgement, bool cut) {
  std::string kept;
  for (size_t begin = 0; begin < judgement.size();) {
    const size_t end = std::min(judgement.find('\n', begin), judgement.size());
    const std::string_view line = judgement.substr(begin, end - begin);
    if (ParseVerdict(line).state == VerdictState::kAbsent) kept += std::string(line) + "\n";
    begin = end + 1;
  }
  kept = Trimmed(kept);
  if (cut) {
    kept = WholeSentences(kept);
    if (kept.empty()) return {"", "justification_cut"};
  }
  if (PlainWords(kept).size() < kFewestWords) return {"", "no_justification"};
  // "Score:" in one line and the number in the next are a verdict too.
  if (ParseVerdict(kept).state != VerdictState::kAbsent) return {"", "score_inside"};
  return {std::move(kept), ""};
}

std::string AskForJustification(std::string_view prompt, std::string_view response, int score) {
  return fmt::format(
      "A reviewer read an assistant's response to an instruction and gave it {0} of {1} points for relevance, "
      "coverage, "
      "usefulness, clarity and expertise.\n\n<instruction>\n{2}\n</instruction>\n\n<response>\n{3}\n</response>\n\n"
      "Write the reviewer's justification for {0} of {1} points: one to three sentences on what the response does well "
      "or badly. Do not repeat the response and do not name the points.",
      score, kMaxScore, prompt, response);
}

}  // namespace srlm::data
