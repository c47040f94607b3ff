#include "common/data/justification.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/data/judge_template.h"
#include "common/data/verdict.h"
#include "common/data/word_parts.h"

namespace srlm::data {
namespace {

constexpr size_t kFewestWords = 3;
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view TrimmedLeft(std::string_view text, std::string_view what) {
  return text.substr(std::min(text.find_first_not_of(what), text.size()));
}

std::string_view TrimmedRight(std::string_view text, std::string_view what) {
  return text.substr(0, text.find_last_not_of(what) + 1);
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

/// `text` without the dashes and other signs that join a verdict to what follows it.
std::string_view AfterJoin(std::string_view text) {
  constexpr std::string_view kSigns[] = {" ", "\t", "\r",           ".",           ",", ";", ":", "!",
                                         "-", "*",  "\xE2\x80\x93", "\xE2\x80\x94"};
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view sign : kSigns) {
      if (!text.starts_with(sign)) continue;
      text.remove_prefix(sign.size());
      more = true;
    }
  }
  return text;
}

/// What stays of a verdict's line before it: whole sentences, and the words of its own one unless they are a label.
std::string_view BeforeVerdict(std::string_view line) {
  const std::string_view whole = WholeSentences(line);
  const std::string_view label = line.substr(whole.size());
  return CountWords(label) < kFewestWords ? whole : TrimmedRight(line, " \t,;:-*_`~\"'([{<$");
}

/// `text` without one verdict, and without its line when too few words of that stay.
std::string WithoutVerdict(std::string_view text, const FoundVerdict& found) {
  const size_t line_begin = found.begin == 0 ? 0 : text.rfind('\n', found.begin - 1) + 1;
  const size_t line_end = std::min(text.find('\n', found.end), text.size());
  std::string line(BeforeVerdict(text.substr(line_begin, found.begin - line_begin)));
  std::string_view rest = text.substr(found.end, line_end - found.end);
  const bool begins_sentence = line.empty() || std::string_view(".!?").find(line.back()) != std::string_view::npos;
  rest = begins_sentence ? AfterJoin(rest) : TrimmedLeft(rest, kSpaces);
  if (!line.empty() && !rest.empty() && std::string_view(".,;:!?").find(rest[0]) == std::string_view::npos) line += ' ';
  line += rest;
  if (CountWords(line) < kFewestWords)
    return std::string(text.substr(0, line_begin)) + std::string(text.substr(std::min(line_end + 1, text.size())));
  return std::string(text.substr(0, line_begin)) + line + std::string(text.substr(line_end));
}

std::string WithoutVerdicts(std::string_view text) {
  std::string kept(text);
  for (FoundVerdict found = FindVerdict(kept); found.verdict.state != VerdictState::kAbsent; found = FindVerdict(kept))
    kept = WithoutVerdict(kept, found);
  return std::string(TrimmedLeft(TrimmedRight(kept, kSpaces), kSpaces));
}

}  // namespace

Justification TakeJustification(std::string_view judgement, bool cut) {
  std::string kept = WithoutVerdicts(judgement);
  if (cut) {
    kept = WholeSentences(kept);
    if (kept.empty()) return {"", "justification_cut"};
  }
  if (CountWords(kept) < kFewestWords) return {"", "no_justification"};
  return {std::move(kept), ""};
}

Justification CheckJustification(std::string_view justification, int score) {
  const Verdict verdict = ParseVerdict(justification);
  if (verdict.state == VerdictState::kAbsent) return {std::string(justification), ""};
  if (verdict.score != score) return {"", "score_inside"};
  return {WithoutVerdicts(justification), ""};
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
