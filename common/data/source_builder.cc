#include "common/data/source_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/hash.h"

namespace srlm::data {

Result<std::string> PromptIdOf(const Row& row, const std::string& prompt, const std::string& system) {
  if (row.Has("prompt_id")) return row.Id("prompt_id");
  return Sha256(system.empty() ? prompt : system + "\n\n" + prompt).substr(0, 16);
}

Result<bool> SourceBuilder::AddPrompt(const Row& row, const std::string& prompt_id, const std::string& prompt,
                                      const std::string& system) {
  if (IsBlankText(prompt)) {
    Leave("empty_prompt", prompt_id, "");
    return false;
  }
  const auto [place, is_new] = places_.emplace(prompt_id, source_.prompts.size());
  if (is_new) {
    source_.prompts.push_back({prompt_id, prompt, {}, system});
    return true;
  }
  const SourcePrompt& known = source_.prompts[place->second];
  if (known.prompt != prompt || known.system != system)
    return row.Error(fmt::format("prompt '{}' is in an earlier line with another {}; ids must differ", prompt_id,
                                 known.prompt != prompt ? "text" : "system message"));
  return true;
}

void SourceBuilder::AddAnswer(const std::string& prompt_id, SourceAnswer answer) {
  SourcePrompt& prompt = source_.prompts[places_.at(prompt_id)];
  if (answer.response_id.empty()) answer.response_id = fmt::format("{}-{}", prompt_id, prompt.answers.size());
  if (IsBlankText(answer.response)) return Leave("empty_answer", prompt_id, answer.response_id);
  const auto same = std::ranges::find(prompt.answers, answer.response, &SourceAnswer::response);
  if (same != prompt.answers.end())
    return Leave("same_answer", prompt_id, answer.response_id, "as " + same->response_id);
  prompt.answers.push_back(std::move(answer));
}

void SourceBuilder::Leave(std::string reason, std::string prompt_id, std::string response_id, std::string detail) {
  source_.rejects.push_back(
      {"source", std::move(reason), std::move(prompt_id), std::move(response_id), std::move(detail)});
}

void SourceBuilder::Finish() {
  for (const SourcePrompt& prompt : source_.prompts)
    if (prompt.answers.empty()) Leave("no_answer", prompt.prompt_id, "");
  std::erase_if(source_.prompts, [](const SourcePrompt& prompt) { return prompt.answers.empty(); });
}

}  // namespace srlm::data
