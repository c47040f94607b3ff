// Text for a terminal: widths, cuts, numbers and spans of time as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace srlm::cli {

/// Columns that UTF-8 text takes: one a character, two for East Asian and emoji ones, none for combining marks.
/// Bytes that are not UTF-8 count one each.
size_t DisplayWidth(std::string_view text);

/// At most `width` columns of `text`, with "..." at its end where something was cut.
std::string Shorten(std::string_view text, size_t width);

/// Spaces added on the right (or, with `right`, on the left) up to `width` columns.
std::string Pad(std::string_view text, size_t width, bool right = false);

/// On one line: line ends and other control characters become spaces, so that no text of a model steers the
/// terminal; runs of spaces become one.
std::string OneLine(std::string_view text);

/// Lines of at most `width` columns, broken at spaces where there are any, each after `indent` spaces. Line ends
/// of the text are kept; other control characters become spaces.
std::string Wrap(std::string_view text, size_t width, size_t indent);

/// 12,345
std::string Count(uint64_t number);

/// 9 s, 1:05, 2:03:04; "?" when negative.
std::string Span(double seconds);

/// Columns of the terminal of file descriptor `fd`; `otherwise` when it is none.
size_t TerminalWidth(int fd, size_t otherwise = 120);

}  // namespace srlm::cli
