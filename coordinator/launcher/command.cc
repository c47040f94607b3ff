#include "coordinator/launcher/command.h"

#include <fmt/format.h>

#include <optional>

namespace srlm::launcher {
namespace {

Status Wrong(const std::string& command, std::string_view what) {
  return InvalidArgument(fmt::format("launcher.command `{}`: {}", command, what));
}

Result<std::vector<std::string>> SplitWords(const std::string& command) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (const char c : command) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        *word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      if (!word) word.emplace();
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
    } else {
      if (!word) word.emplace();
      *word += c;
    }
  }
  if (quote != 0) return Wrong(command, fmt::format("the quote {} does not end", quote));
  if (word) words.push_back(*word);
  return words;
}

/// `word` with its placeholders filled.
Result<std::string> Fill(const std::string& command, const std::string& word, const CommandValues& values) {
  std::string filled;
  for (size_t i = 0; i < word.size();) {
    const size_t end = word[i] == '{' ? word.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      filled += word[i++];
      continue;
    }
    const std::string name = word.substr(i, end - i + 1);
    if (name == "{ranks}")
      filled += std::to_string(values.ranks);
    else if (const auto more = values.more.find(name.substr(1, name.size() - 2)); more != values.more.end())
      filled += more->second;
    else if (name == "{hostfile}" && !values.hostfile.empty())
      filled += values.hostfile;
    else if (name == "{hostfile}")
      return Wrong(command, "no host file is known here; name launcher.hosts, or a path instead of {hostfile}");
    else
      return Wrong(command, fmt::format("unknown placeholder {}; known: {{ranks}} {{program}} {{hostfile}}, and with "
                                        "launcher.kind: slurm {{name}} {{nodes}} {{nodelist}} {{cpus}}",
                                        name));
    i = end + 1;
  }
  return filled;
}

}  // namespace

Result<std::vector<std::string>> ExpandCommand(const std::string& command, const CommandValues& values) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<std::string> words, SplitWords(command));
  std::vector<std::string> expanded;
  bool has_program = false;
  for (const std::string& word : words) {
    if (word == "{program}") {
      has_program = true;
      expanded.insert(expanded.end(), values.program.begin(), values.program.end());
      continue;
    }
    SRLM_ASSIGN_OR_RETURN(std::string filled, Fill(command, word, values));
    expanded.push_back(std::move(filled));
  }
  if (!has_program) return Wrong(command, "{program} is missing; it stands alone, between spaces");
  return expanded;
}

}  // namespace srlm::launcher
