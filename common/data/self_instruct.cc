#include "common/data/self_instruct.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace srlm::data {
namespace {

enum StreamPart : uint64_t { kSeedDraws = 1, kGeneratedDraws = 2, kOrderDraws = 3 };

/// The first `wanted` of a shuffle of 0..count-1 (Fisher and Yates), a swap a draw.
std::vector<int> DrawWithoutRepetition(const RandomStream& stream, int count, int wanted) {
  std::vector<int> pool(static_cast<size_t>(count));
  std::iota(pool.begin(), pool.end(), 0);
  for (int i = 0; i < wanted; ++i) {
    const auto other = i + static_cast<int>(stream.Below(static_cast<uint64_t>(i), static_cast<uint64_t>(count - i)));
    std::swap(pool[i], pool[other]);
  }
  pool.resize(static_cast<size_t>(wanted));
  return pool;
}

std::string OnOneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const char shown = std::isspace(static_cast<unsigned char>(c)) ? ' ' : c;
    if (shown != ' ' || (!line.empty() && line.back() != ' ')) line += shown;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Length of a heading `Task 9:` (markdown marks and case aside) at the start of `text`, 0 when there is none.
/// With `open_end`, text that stops within the heading counts too.
size_t HeadingLength(std::string_view text, bool open_end) {
  size_t at = 0;
  const auto skip = [&](std::string_view set) {
    while (at < text.size() && set.find(text[at]) != std::string_view::npos) ++at;
  };
  skip(" \t*#_");
  constexpr std::string_view kWord = "task";
  for (const char letter : kWord) {
    if (at >= text.size() || std::tolower(static_cast<unsigned char>(text[at])) != letter) return 0;
    ++at;
  }
  const size_t after_word = at;
  skip(" \t");
  const size_t digits = at;
  skip("0123456789");
  if (at == digits) return open_end && at == text.size() && at > after_word ? at : 0;
  if (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at]))) return 0;
  skip("*_:. \t");
  return at;
}

/// `text` without one pair of quotes around it.
std::string_view Unquote(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted && text.find('"', 1) == text.size() - 1 ? Trim(text.substr(1, text.size() - 2)) : text;
}

}  // namespace

Demonstrations DrawDemonstrations(const RandomStream& stream, int seed_count, int generated_count, int seeds_wanted,
                                  int generated_wanted) {
  int generated = std::min(generated_wanted, generated_count);
  const int seeds = std::min(seeds_wanted + generated_wanted - generated, seed_count);
  generated = std::min(generated_count, seeds_wanted + generated_wanted - seeds);
  return {DrawWithoutRepetition(stream.Child(kSeedDraws), seed_count, seeds),
          DrawWithoutRepetition(stream.Child(kGeneratedDraws), generated_count, generated)};
}

std::vector<int> DrawOrder(const RandomStream& stream, int count) {
  return DrawWithoutRepetition(stream.Child(kOrderDraws), count, count);
}

std::string BuildSelfInstructPrompt(std::span<const std::string> instructions) {
  std::string text = "Here is a list of varied tasks that people ask an assistant to do:\n\n";
  size_t number = 0;
  for (const std::string& instruction : instructions)
    text += fmt::format("Task {}: {}\n\n", ++number, OnOneLine(instruction));
  return text + fmt::format("Task {}:", number + 1);
}

ExtractedInstruction ExtractInstruction(std::string_view output) {
  const size_t begin = output.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  std::string_view rest = output.substr(begin);
  if (const size_t heading = HeadingLength(rest, false); heading > 0) {
    rest.remove_prefix(heading);
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" \t\r\n")));
  }
  ExtractedInstruction result;
  size_t end = rest.size();
  for (size_t at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n', at + 1)) {
    const std::string_view line = rest.substr(at + 1);
    const size_t text_at = line.find_first_not_of(" \t\r");
    const bool empty_line = text_at != std::string_view::npos && line[text_at] == '\n';
    if (!empty_line && HeadingLength(line, true) == 0) continue;
    end = at;
    result.complete = true;
    break;
  }
  result.text = std::string(Unquote(Trim(rest.substr(0, end))));
  return result;
}

}  // namespace srlm::data
