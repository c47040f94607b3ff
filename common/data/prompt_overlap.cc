#include "common/data/prompt_overlap.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "common/base/random.h"
#include "common/data/row.h"

namespace srlm::data {
namespace {

/// Hashes of each run of `n` words.
std::vector<uint64_t> Runs(const std::vector<std::string>& words, size_t n) {
  std::vector<uint64_t> runs;
  for (size_t end = n; end <= words.size(); ++end) {
    std::string run;
    for (size_t i = end - n; i < end; ++i) run += words[i] + ' ';
    runs.push_back(StreamId(run));
  }
  return runs;
}

Result<std::vector<std::string>> PromptTextsOf(const Row& row) {
  std::vector<std::string> texts;
  if (row.Has("turns")) return row.Texts("turns");
  const char* key = row.FirstOf({"prompt_text", "prompt", "instruction", "messages"});
  if (!row.IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(std::string text, row.Text(key));
    texts.push_back(std::move(text));
    return texts;
  }
  SRLM_ASSIGN_OR_RETURN(const auto messages, row.Messages(key));
  for (const Message& message : messages)
    if (message.role == "user") texts.push_back(message.content);
  return texts;
}

}  // namespace

std::vector<std::string> OverlapWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string NormalisedPrompt(std::string_view text) {
  std::string normalised;
  for (const std::string& word : OverlapWords(text)) normalised += (normalised.empty() ? "" : " ") + word;
  // A text without a word, "?!", is compared as it is.
  return normalised.empty() ? std::string(text) : normalised;
}

void PromptOverlap::Add(std::string_view prompt, const std::string& name) {
  ++size_;
  whole_.emplace(NormalisedPrompt(prompt), name);
  for (const uint64_t run : Runs(OverlapWords(prompt), static_cast<size_t>(n_))) runs_.emplace(run, name);
}

std::optional<std::string> PromptOverlap::Find(std::string_view prompt) const {
  const auto same = whole_.find(NormalisedPrompt(prompt));
  if (same != whole_.end()) return "the same as " + same->second;
  for (const uint64_t run : Runs(OverlapWords(prompt), static_cast<size_t>(n_))) {
    const auto found = runs_.find(run);
    if (found != runs_.end()) return fmt::format("{} words in a row as in {}", n_, found->second);
  }
  return std::nullopt;
}

Result<std::vector<std::string>> LoadPromptTexts(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(JsonlReader reader, JsonlReader::Open(path));
  std::vector<std::string> texts;
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    SRLM_ASSIGN_OR_RETURN(const auto found, PromptTextsOf(Row(json, reader)));
    texts.insert(texts.end(), found.begin(), found.end());
  }
  if (texts.empty()) return InvalidArgument(path + ": has no prompts");
  return texts;
}

}  // namespace srlm::data
