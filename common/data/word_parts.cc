#include "common/data/word_parts.h"

#include <array>
#include <cstdint>
#include <utility>

#include "common/data/normal_form.h"

namespace srlm::data {
namespace {

struct Script {
  uint32_t first;
  uint32_t last;
  int counts;  // one of its characters
};

constexpr int kIdeograph = kOneWord / 2, kKana = kOneWord / 3, kSyllabic = kOneWord / 5;
constexpr std::array kScripts = {
    Script{0x0e00, 0x0eff, kSyllabic},     // Thai, Lao
    Script{0x1000, 0x109f, kSyllabic},     // Burmese
    Script{0x1780, 0x17ff, kSyllabic},     // Khmer
    Script{0x3040, 0x30ff, kKana},         // hiragana, katakana
    Script{0x31f0, 0x31ff, kKana},         // katakana of Ainu
    Script{0x3400, 0x4dbf, kIdeograph},    // extension A
    Script{0x4e00, 0x9fff, kIdeograph},    // the common ideographs
    Script{0xf900, 0xfaff, kIdeograph},    // compatibility ideographs
    Script{0xff66, 0xff9f, kKana},         // half-width katakana
    Script{0x20000, 0x3ffff, kIdeograph},  // extensions B and later
};

/// What a character of a script without spaces counts; 0: of another script.
int CountsOf(uint32_t character) {
  for (const Script& script : kScripts)
    if (character >= script.first && character <= script.last) return script.counts;
  return 0;
}

/// The character that begins `text`, and its bytes; a byte that begins none is one of its own.
std::pair<uint32_t, size_t> FirstCharacter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  uint32_t character = lead & (0x7fU >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return {lead, 1};
    character = character << 6U | (next & 0x3fU);
  }
  return {character, bytes};
}

}  // namespace

std::vector<WordPart> WordParts(std::string_view text) {
  const std::string form = NormalForm(text);
  std::vector<WordPart> parts;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) parts.push_back({std::exchange(word, {}), kOneWord});
  };
  for (size_t at = 0; at < form.size();) {
    const auto [character, bytes] = FirstCharacter(std::string_view(form).substr(at));
    const int counts = CountsOf(character);
    if (counts > 0 || character == ' ') end_word();
    if (counts > 0) {
      parts.push_back({form.substr(at, bytes), counts});
    } else if (character != ' ') {
      word += form.substr(at, bytes);
    }
    at += bytes;
  }
  end_word();
  return parts;
}

size_t CountWords(std::string_view text) {
  int counts = 0;
  for (const WordPart& part : WordParts(text)) counts += part.counts;
  return static_cast<size_t>(counts / kOneWord);
}

}  // namespace srlm::data
