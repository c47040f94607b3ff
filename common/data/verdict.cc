#include "common/data/verdict.h"

#include <array>
#include <cctype>
#include <utility>

#include "common/data/judge_template.h"

namespace srlm::data {
namespace {

constexpr std::array<std::pair<VerdictState, std::string_view>, 3> kNames = {
    {{VerdictState::kParsed, "parsed"},
     {VerdictState::kAbsent, "absent"},
     {VerdictState::kOutOfRange, "out_of_range"}}};

constexpr std::string_view kEnDash = "\xE2\x80\x93";
constexpr std::string_view kEmDash = "\xE2\x80\x94";
constexpr std::string_view kMinusSign = "\xE2\x88\x92";
constexpr std::string_view kFullWidthColon = "\xEF\xBC\x9A";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// A place in the text that moves forward.
class Cursor {
 public:
  Cursor(std::string_view text, size_t at) : text_(text), at_(at) {}
  bool End() const { return at_ >= text_.size(); }
  size_t at() const { return at_; }
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool Take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  void Advance() { ++at_; }
  int SkipBlanks() {
    int count = 0;
    for (; IsBlank(Peek()); ++at_) ++count;
    return count;
  }
  /// Marks of markdown, quotes and brackets that may surround a word or a number.
  void SkipMarks() {
    while (!End() && std::string_view("*_`~\"'([{<$").find(Peek()) != std::string_view::npos) ++at_;
  }
  void SkipClosingMarks() {
    while (!End() && std::string_view("*_`~\"')]}>$").find(Peek()) != std::string_view::npos) ++at_;
  }
  /// Digits as a number, capped well above any score.
  int TakeNumber() {
    int number = 0;
    for (; IsDigit(Peek()); ++at_) number = number > 1000 ? number : number * 10 + (Peek() - '0');
    return number;
  }

 private:
  std::string_view text_;
  size_t at_;
};

/// Passes over a note on the scale before the separator: `Score (0-5): 4`, `Score out of 5: 4`.
void SkipScaleNote(Cursor& cursor) {
  Cursor after = cursor;
  after.SkipBlanks();
  if (after.Take("(")) {
    constexpr int kLongestNote = 30;
    for (int i = 0; i < kLongestNote && !after.End() && after.Peek() != ')' && after.Peek() != '\n'; ++i)
      after.Advance();
    if (after.Take(")")) cursor = after;
  } else if (after.Take("out of 5")) {
    cursor = after;
  }
}

/// Passes over what joins `Score` to its number: marks, then `:` or `=`, or a dash between blanks.
bool TakeSeparator(Cursor& cursor) {
  cursor.SkipClosingMarks();
  SkipScaleNote(cursor);
  cursor.SkipClosingMarks();
  const int blanks = cursor.SkipBlanks();
  if (cursor.Take(":") || cursor.Take("=") || cursor.Take(kFullWidthColon)) return true;
  // `Score -4` is a negative number, `Score - 4` is a dash.
  Cursor after = cursor;
  if (blanks > 0 && (after.Take("-") || after.Take(kEnDash) || after.Take(kEmDash)) && after.SkipBlanks() > 0) {
    cursor = after;
    return true;
  }
  return false;
}

/// What follows the number when it is a range, a sum, a fraction or a word: then it is not a plain score.
bool IsPartOfMore(Cursor cursor) {
  if (IsLetter(cursor.Peek()) || cursor.Peek() == '%') return true;                            // 4th, 45%
  if ((cursor.Peek() == '.' || cursor.Peek() == ',') && IsDigit(cursor.Peek(1))) return true;  // 4.5, 4,5
  cursor.SkipBlanks();
  if (cursor.Take("+") || cursor.Take("-") || cursor.Take(kEnDash) || cursor.Take(kMinusSign) || cursor.Take("=") ||
      cursor.Take("to ") || cursor.Take("or ")) {  // 3-4, 1 + 2
    cursor.SkipBlanks();
    return IsDigit(cursor.Peek());
  }
  return false;
}

/// Passes over `/5` or `out of 5`; false when the scale is another one.
bool TakeScale(Cursor& cursor) {
  Cursor after = cursor;
  after.SkipClosingMarks();
  after.SkipBlanks();
  if (!after.Take("/") && !after.Take("out of")) return true;
  after.SkipBlanks();
  after.SkipMarks();
  if (!IsDigit(after.Peek())) return true;
  if (after.TakeNumber() != kMaxScore || IsPartOfMore(after)) return false;
  cursor = after;
  return true;
}

bool AtLineEnd(Cursor cursor) {
  cursor.SkipClosingMarks();
  if (cursor.Peek() == '.' || cursor.Peek() == '!') cursor.Advance();
  cursor.SkipClosingMarks();
  cursor.SkipBlanks();
  return cursor.End() || cursor.Peek() == '\n';
}

constexpr Verdict kNotAScore{std::nullopt, VerdictState::kOutOfRange};

/// Passes over what makes a number none that is a score: the rest of a fraction, a range, a sum or another scale.
void SkipRestOfNumber(Cursor& cursor) {
  constexpr std::string_view kJoins[] = {"/", "%", "+", "-", "=", kEnDash, kEmDash, kMinusSign, "out of", "to ", "or "};
  for (bool joined = true; joined;) {
    joined = false;
    Cursor after = cursor;
    after.SkipClosingMarks();
    after.SkipBlanks();
    for (const std::string_view join : kJoins) joined |= after.Take(join);
    const bool decimals = (after.Peek() == '.' || after.Peek() == ',') && IsDigit(after.Peek(1));
    if (decimals) after.Advance();
    after.SkipBlanks();
    after.SkipMarks();
    joined |= decimals;
    if (!joined) return;
    after.TakeNumber();
    cursor = after;
  }
}

/// The verdict of the `Score` whose end the cursor stands at, and the cursor at the verdict's end; absent when no
/// number belongs to it.
Verdict ParseAfterWord(Cursor& cursor) {
  if (!TakeSeparator(cursor)) return {};
  bool next_line = false;
  for (cursor.SkipMarks(); IsBlank(cursor.Peek()) || cursor.Peek() == '\n'; cursor.SkipMarks()) {
    next_line |= cursor.Peek() == '\n';
    cursor.Advance();
  }
  const bool negative = cursor.Take("-") || cursor.Take(kMinusSign) || cursor.Take(kEnDash);
  if (!negative) cursor.Take("+");
  if (!IsDigit(cursor.Peek())) return {};
  const int number = cursor.TakeNumber();
  if (cursor.Peek() == '.' && cursor.Peek(1) == '0' && !IsDigit(cursor.Peek(2))) {  // 4.0
    cursor.Advance();
    cursor.Advance();
  }
  if (IsPartOfMore(cursor) || !TakeScale(cursor)) {
    SkipRestOfNumber(cursor);
    return kNotAScore;
  }
  // Under a heading `Score:` a list may begin with "1. ...": only a number with a line of its own is meant.
  if (next_line && !AtLineEnd(cursor)) return {};
  if ((negative && number != 0) || number < kMinScore || number > kMaxScore) return kNotAScore;
  return {number, VerdictState::kParsed};
}

/// The place after the word `score` that begins at `at`, or 0 when none does.
size_t EndOfWordScore(std::string_view text, size_t at) {
  constexpr std::string_view kWord = "score";
  if (at + kWord.size() > text.size() || (at > 0 && (IsLetter(text[at - 1]) || IsDigit(text[at - 1])))) return 0;
  for (size_t i = 0; i < kWord.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(text[at + i])) != kWord[i]) return 0;
  return at + kWord.size();
}

}  // namespace

std::string_view VerdictStateName(VerdictState state) {
  for (const auto& [each, name] : kNames)
    if (each == state) return name;
  return "?";
}

std::optional<VerdictState> VerdictStateFromName(std::string_view name) {
  for (const auto& [each, spelled] : kNames)
    if (spelled == name) return each;
  return std::nullopt;
}

Verdict ParseVerdict(std::string_view judgement) { return FindVerdict(judgement).verdict; }

FoundVerdict FindVerdict(std::string_view judgement) {
  for (size_t at = judgement.size(); at-- > 0;) {
    const size_t end = EndOfWordScore(judgement, at);
    if (end == 0) continue;
    Cursor cursor(judgement, end);
    const Verdict verdict = ParseAfterWord(cursor);
    if (verdict.state == VerdictState::kAbsent) continue;
    cursor.SkipClosingMarks();
    return {verdict, at, cursor.at()};
  }
  return {};
}

}  // namespace srlm::data
