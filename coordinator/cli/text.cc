#include "coordinator/cli/text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace srlm::cli {
namespace {

/// The character at `text[at]` and its length in bytes; a byte that begins none is itself.
std::pair<uint32_t, size_t> Decode(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return {lead, 1};
  if (length == 1) return {lead, 1};
  uint32_t code = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next >> 6) != 2) return {lead, 1};
    code = (code << 6) | (next & 0x3f);
  }
  return {code, length};
}

/// The blocks that matter for alignment, not the whole of UAX 11.
size_t WidthOf(uint32_t code) {
  constexpr std::array<std::pair<uint32_t, uint32_t>, 6> kNone = {
      {{0x300, 0x36f}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xe0100, 0xe01ef}}};
  constexpr std::array<std::pair<uint32_t, uint32_t>, 7> kTwo = {{{0x1100, 0x115f},
                                                                  {0x2e80, 0xa4cf},
                                                                  {0xac00, 0xd7a3},
                                                                  {0xf900, 0xfaff},
                                                                  {0xfe30, 0xfe6f},
                                                                  {0xff00, 0xff60},
                                                                  {0x1f300, 0x3fffd}}};
  for (const auto& [low, high] : kNone)
    if (code >= low && code <= high) return 0;
  for (const auto& [low, high] : kTwo)
    if (code >= low && code <= high) return 2;
  return 1;
}

/// C0 and C1 controls, and the marks that change the direction of what follows.
bool IsControl(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

/// Bytes of `text` that fill at most `width` columns.
size_t BytesOfWidth(std::string_view text, size_t width) {
  size_t at = 0;
  for (size_t used = 0; at < text.size();) {
    const auto [code, length] = Decode(text, at);
    used += WidthOf(code);
    if (used > width) break;
    at += length;
  }
  return at;
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [code, length] = Decode(text, at);
    width += WidthOf(code);
    at += length;
  }
  return width;
}

std::string Shorten(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 3) return std::string(text.substr(0, BytesOfWidth(text, width)));
  return std::string(text.substr(0, BytesOfWidth(text, width - 3))) + "...";
}

std::string Pad(std::string_view text, size_t width, bool right) {
  const size_t used = DisplayWidth(text);
  const std::string spaces(used < width ? width - used : 0, ' ');
  return right ? spaces + std::string(text) : std::string(text) + spaces;
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const auto [code, length] = Decode(text, at);
    if (IsControl(code) || code == ' ') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += text.substr(at, length);
    }
    at += length;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string Wrap(std::string_view text, size_t width, size_t indent) {
  std::string wrapped;
  while (true) {
    const size_t end = text.find('\n');
    std::string rest = OneLine(text.substr(0, end));
    do {
      size_t cut = BytesOfWidth(rest, width);
      if (cut == 0 && !rest.empty()) cut = Decode(rest, 0).second;  // one character wider than the width
      if (const size_t space = rest.rfind(' ', cut); cut < rest.size() && space != std::string::npos && space > 0) {
        cut = space;
      }
      wrapped += std::string(indent, ' ') + rest.substr(0, cut) + "\n";
      const size_t next = rest.find_first_not_of(' ', cut);
      rest.erase(0, next == std::string::npos ? rest.size() : next);
    } while (!rest.empty());
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return wrapped;
}

std::string Count(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string Span(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

size_t TerminalWidth(int fd, size_t otherwise) {
  winsize size{};
  if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
  return otherwise;
}

}  // namespace srlm::cli
