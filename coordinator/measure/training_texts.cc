#include "coordinator/measure/training_texts.h"

#include <fmt/format.h>

#include "common/data/records.h"

namespace srlm::measure {
namespace {

/// The words of the people's side of a conversation.
std::string UserText(const data::PromptInput& input) {
  if (input.raw) return input.raw_text;
  std::string text;
  for (const Message& message : input.messages)
    if (message.role == "user") text += message.content + "\n";
  return text;
}

}  // namespace

Status AddTrainingPrompts(const config::RunConfig& config, data::OverlapIndex& index) {
  SRLM_ASSIGN_OR_RETURN(const auto ift, data::LoadSft(config.data.ift, data::JudgeTemplate::BuiltIn()));
  for (const data::SftRow& row : ift) index.Add(UserText(row.prompt), fmt::format("data.ift, line {}", row.line));
  if (!config.data.eft.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto eft, data::LoadEft(config.data.eft));
    for (size_t i = 0; i < eft.size(); ++i) index.Add(eft[i].prompt, fmt::format("data.eft, row {}", i + 1));
  }
  if (!config.data.prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto given, data::LoadPrompts(config.data.prompts));
    for (const data::Prompt& prompt : given)
      index.Add(UserText(prompt.input), fmt::format("data.prompts, prompt '{}'", prompt.prompt_id));
  }
  return OkStatus();
}

std::vector<Overlap> FindOverlaps(const data::OverlapIndex& index, const std::vector<std::string>& prompts) {
  std::vector<Overlap> overlaps;
  for (size_t i = 0; i < prompts.size(); ++i)
    if (auto found = index.Find(prompts[i])) overlaps.push_back({i, std::move(*found)});
  return overlaps;
}

Status OverlapProblem(const std::string& path, const std::vector<std::string>& prompts,
                      const std::vector<Overlap>& overlaps, const std::string& remedy) {
  constexpr size_t kShown = 3, kCharacters = 80;
  std::string shown;
  for (size_t i = 0; i < std::min(kShown, overlaps.size()); ++i) {
    std::string text = prompts[overlaps[i].prompt];
    if (text.size() > kCharacters) text = text.substr(0, kCharacters) + "...";
    for (char& c : text)
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    shown += fmt::format(
        "\n  \"{}\" {} {}", text,
        overlaps[i].found.same ? "is" : fmt::format("shares {} words in a row with", data::OverlapIndex::kWordsInARow),
        overlaps[i].found.origin);
  }
  return InvalidArgument(fmt::format("{}: {} of {} prompts overlap what the run was trained on; {}. The first:{}", path,
                                     overlaps.size(), prompts.size(), remedy, shown));
}

}  // namespace srlm::measure
