#include "common/data/normal_form.h"

#include <cctype>
#include <cstdint>

namespace srlm::data {
namespace {

/// Bytes of the punctuation or space in UTF-8 that begins `text`; 0: it begins with something else.
size_t SeparatorLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) < 0x80) return std::isalnum(static_cast<int>(byte(0))) != 0 ? 0 : 1;
  // U+00A0 to U+00BF but for what belongs to words: ª, º, µ and the superscripts and fractions.
  if (byte(0) == 0xc2 && byte(1) >= 0xa0 && byte(1) <= 0xbf) {
    constexpr std::string_view kOfWords = "\xaa\xb2\xb3\xb5\xb9\xba\xbc\xbd\xbe";
    return kOfWords.find(text[1]) == std::string_view::npos ? 2 : 0;
  }
  const bool general = byte(0) == 0xe2 && (byte(1) == 0x80 || (byte(1) == 0x81 && byte(2) < 0xb0));  // U+2000 - U+206F
  const bool cjk = byte(0) == 0xe3 && byte(1) == 0x80 && byte(2) < 0xc0;                             // U+3000 - U+303F
  const bool full_width = byte(0) == 0xef && byte(1) == 0xbc && (byte(2) < 0x90 || (byte(2) > 0x99 && byte(2) < 0xa1));
  return text.size() >= 3 && (general || cjk || full_width) ? 3 : 0;
}

}  // namespace

std::string NormalForm(std::string_view text) {
  std::string form;
  bool separated = false;
  while (!text.empty()) {
    const size_t length = SeparatorLength(text);
    separated |= length > 0;
    if (length == 0) {
      if (separated && !form.empty()) form += ' ';
      separated = false;
      const char c = text[0];
      form += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return form;
}

}  // namespace srlm::data
