// A text with marks, each exactly once, that values take the place of: a judge's question.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace srlm::data {

class MarkedText {
 public:
  /// `kind` ("a pairwise template") and `origin` (a path) stand in messages. InvalidArgument when a mark is missing or
  /// stands twice.
  static Result<MarkedText> Parse(std::string text, std::vector<std::string> marks, std::string_view kind,
                                  std::string_view origin);
  /// The same of a file, without the line breaks at its end; at most 1 MiB.
  static Result<MarkedText> Load(const std::string& path, std::vector<std::string> marks, std::string_view kind);

  /// One value a mark, in the order of the marks. All are put in at once: a mark inside a value stays as it is.
  std::string Fill(std::span<const std::string_view> values) const;

  const std::string& text() const { return text_; }

 private:
  struct Place {
    size_t at;
    size_t bytes;  // of the mark
    size_t value;  // which one goes there
  };
  MarkedText(std::string text, std::vector<Place> places) : text_(std::move(text)), places_(std::move(places)) {}
  std::string text_;
  std::vector<Place> places_;  // in the text's order
};

}  // namespace srlm::data
