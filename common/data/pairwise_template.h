// The question to a judge that compares two answers: a text with one {prompt}, {response_a} and {response_b}.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/status.h"
#include "common/data/marked_text.h"

namespace srlm::data {

/// What opens the judge's last line; with it before the letter, the letters' probabilities are the verdict.
inline constexpr char kVerdictPrefix[] = "Verdict: [[";

class PairwiseTemplate {
 public:
  /// This project's own: deploy/templates/pairwise.txt.
  static PairwiseTemplate BuiltIn();
  /// A template file; the built-in one when `path` is empty. InvalidArgument with the path when a variable is missing
  /// or stands twice.
  static Result<PairwiseTemplate> Load(const std::string& path);
  static Result<PairwiseTemplate> Parse(std::string text, std::string_view origin);

  /// The question about two answers in this order.
  std::string Fill(std::string_view prompt, std::string_view response_a, std::string_view response_b) const;

  const std::string& text() const { return text_.text(); }

 private:
  explicit PairwiseTemplate(MarkedText text) : text_(std::move(text)) {}
  MarkedText text_;
};

}  // namespace srlm::data
