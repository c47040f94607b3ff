// The question to a meta-judge, which compares two judgements of one answer: a text with one {judge_prompt}, what the
// judge was asked, {judgement_a} and {judgement_b}.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/status.h"
#include "common/data/marked_text.h"

namespace srlm::data {

class MetaTemplate {
 public:
  /// This project's own: deploy/templates/meta_judge.txt.
  static MetaTemplate BuiltIn();
  /// A template file; the built-in one when `path` is empty. InvalidArgument with the path when a variable is missing
  /// or stands twice.
  static Result<MetaTemplate> Load(const std::string& path);
  static Result<MetaTemplate> Parse(std::string text, std::string_view origin);

  /// The question about two judgements in this order.
  std::string Fill(std::string_view judge_prompt, std::string_view judgement_a, std::string_view judgement_b) const;

  const std::string& text() const { return text_.text(); }

 private:
  explicit MetaTemplate(MarkedText text) : text_(std::move(text)) {}
  MarkedText text_;
};

}  // namespace srlm::data
