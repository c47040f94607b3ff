// The judge's question: a text with one {prompt} and one {response}.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/status.h"
#include "common/data/marked_text.h"

namespace srlm::data {

/// What opens the judge's last line; with it before the digit, the digits' probabilities are the verdict.
inline constexpr char kScorePrefix[] = "Score: ";
inline constexpr int kMinScore = 0;
inline constexpr int kMaxScore = 5;

class JudgeTemplate {
 public:
  /// The additive 5-point template of this project.
  static JudgeTemplate BuiltIn();
  /// A template file; the built-in one when `path` is empty. InvalidArgument with the path when {prompt} or
  /// {response} is missing or stands twice.
  static Result<JudgeTemplate> Load(const std::string& path);
  /// The same from text; `origin` stands in messages.
  static Result<JudgeTemplate> Parse(std::string text, std::string_view origin);

  /// The question about one answer. Both are put in at once: "{response}" inside the prompt stays as it is.
  std::string Fill(std::string_view prompt, std::string_view response) const;

  const std::string& text() const { return text_.text(); }

 private:
  explicit JudgeTemplate(MarkedText text) : text_(std::move(text)) {}
  MarkedText text_;
};

}  // namespace srlm::data
