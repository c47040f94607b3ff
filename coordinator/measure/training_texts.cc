#include "coordinator/measure/training_texts.h"

#include <fmt/format.h>

#include <set>

namespace srlm::measure {
namespace {

/// Both what a conversation begins with and all that its user says: either may be asked alone elsewhere.
void Add(const data::PromptInput& input, const std::string& origin, data::OverlapIndex& index) {
  const std::string first = data::FirstInstruction(input), all = data::UserText(input);
  index.Add(first, origin);
  if (all != first) index.Add(all, origin);
}

/// Those of a key's file that were trained on are named.
Status CheckFile(const data::OverlapIndex& index, const std::string& path, const std::set<std::string>& different) {
  const std::vector<std::string> texts(different.begin(), different.end());
  const auto overlaps = FindOverlaps(index, texts);
  if (overlaps.empty()) return OkStatus();
  return OverlapProblem(path, texts, overlaps, "what the run was trained on",
                        "figures on them say nothing of new prompts. Leave them out of one of the files (srlm prepare "
                        "parts data so), or set evaluation.allow_overlap");
}

std::set<std::string> TextsOf(const std::vector<data::Prompt>& prompts) {
  std::set<std::string> texts;
  for (const data::Prompt& prompt : prompts) texts.insert(data::UserText(prompt.input));
  return texts;
}

/// A model that was chosen by its answers to a prompt is not to be measured by them.
Status CheckValidation(const config::RunConfig& config, const EvaluationData& data) {
  data::OverlapIndex index;
  for (const data::Prompt& row : data.prompts)
    Add(row.input, fmt::format("data.evaluation_prompts, prompt '{}'", row.prompt_id), index);
  const std::set<std::string> different = TextsOf(data.validation);
  const std::vector<std::string> texts(different.begin(), different.end());
  const auto overlaps = FindOverlaps(index, texts);
  if (overlaps.empty()) return OkStatus();
  return OverlapProblem(config.data.validation_prompts, texts, overlaps, "data.evaluation_prompts",
                        "models that are chosen by their answers to these would be measured by them, too. Leave them "
                        "out of one of the files");
}

}  // namespace

Status AddTrainingPrompts(const config::RunConfig& config, data::OverlapIndex& index) {
  SRLM_ASSIGN_OR_RETURN(const auto ift, data::LoadSft(config.data.ift, data::JudgeTemplate::BuiltIn()));
  for (const data::SftRow& row : ift) Add(row.prompt, fmt::format("data.ift, line {}", row.line), index);
  if (!config.data.eft.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto eft, data::LoadEft(config.data.eft));
    for (size_t i = 0; i < eft.size(); ++i) index.Add(eft[i].prompt, fmt::format("data.eft, row {}", i + 1));
  }
  if (!config.data.prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto given, data::LoadPrompts(config.data.prompts));
    for (const data::Prompt& prompt : given)
      Add(prompt.input, fmt::format("data.prompts, prompt '{}'", prompt.prompt_id), index);
  }
  return OkStatus();
}

std::vector<Overlap> FindOverlaps(const data::OverlapIndex& index, const std::vector<std::string>& prompts) {
  std::vector<Overlap> overlaps;
  for (size_t i = 0; i < prompts.size(); ++i)
    if (auto found = index.Find(prompts[i])) overlaps.push_back({i, std::move(*found)});
  return overlaps;
}

Status CheckEvaluationData(const config::RunConfig& config, const EvaluationData& data) {
  SRLM_RETURN_IF_ERROR(CheckValidation(config, data));
  if (config.evaluation.allow_overlap) return OkStatus();
  if (data.ranked.empty() && data.prompts.empty() && data.validation.empty() && data.held_out.empty())
    return OkStatus();
  data::OverlapIndex index;
  SRLM_RETURN_IF_ERROR(AddTrainingPrompts(config, index));
  std::set<std::string> of_ranked, of_held_out;
  for (const data::RankedAnswer& row : data.ranked) of_ranked.insert(row.prompt);
  for (const data::JudgeItem& row : data.held_out) of_held_out.insert(data::UserText(row.prompt));
  SRLM_RETURN_IF_ERROR(CheckFile(index, config.data.evaluation, of_ranked));
  SRLM_RETURN_IF_ERROR(CheckFile(index, config.data.evaluation_prompts, TextsOf(data.prompts)));
  SRLM_RETURN_IF_ERROR(CheckFile(index, config.data.validation_prompts, TextsOf(data.validation)));
  return CheckFile(index, config.data.held_out, of_held_out);
}

Status OverlapProblem(const std::string& path, const std::vector<std::string>& prompts,
                      const std::vector<Overlap>& overlaps, const std::string& what, const std::string& remedy) {
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
  return InvalidArgument(fmt::format("{}: {} of {} prompts overlap {}; {}. The first:{}", path, overlaps.size(),
                                     prompts.size(), what, remedy, shown));
}

}  // namespace srlm::measure
