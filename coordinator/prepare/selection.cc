#include "coordinator/prepare/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "common/data/overlap.h"
#include "common/data/prompt_texts.h"
#include "common/data/seed_split.h"

namespace srlm::prepare {
namespace {

using data::SourcePrompt;
using nlohmann::ordered_json;

constexpr size_t kWordsToTell = 3;    // a prompt of fewer words is told by its answer
constexpr size_t kWordsOfAnswer = 8;  // an answer of fewer is taken for the prompt's language

std::string ToldLanguage(const std::string& code) { return code.empty() ? "no language can be told" : "is " + code; }

std::string Meets(const data::OverlapIndex::Found& found) {
  if (found.same) return "the same as " + found.origin;
  return fmt::format("{} words in a row as in {}", data::OverlapIndex::kWordsInARow, found.origin);
}

class Selector {
 public:
  Selector(const Options& options, Inputs inputs, const LanguageOf& language_of)
      : options_(options), inputs_(std::move(inputs)), language_of_(language_of) {
    selection_.rejects = std::move(inputs_.rejects);
  }

  Result<Selection> Run() {
    SRLM_RETURN_IF_ERROR(KeepEnglish());
    TakeEvaluation();
    TakeReady(inputs_.ift, "ift", selection_.ift);
    std::vector<SourcePrompt> lessons;
    for (SourcePrompt& prompt : inputs_.prompts) {
      if (Overlaps(inputs_.evaluation, prompt, "prompt", "overlaps_evaluation")) continue;
      if (IsLesson(prompt)) {
        lessons.push_back(std::move(prompt));
      } else {
        SRLM_RETURN_IF_ERROR(TakeIft(prompt));
      }
    }
    for (SourcePrompt& prompt : lessons)
      if (!Overlaps(ift_prompts_, prompt, "eft", "overlaps_ift")) selection_.lessons.push_back(std::move(prompt));
    LeaveTooMany();
    TakeReady(inputs_.eft, "eft", selection_.eft);
    return std::move(selection_);
  }

 private:
  void Leave(const char* stage, const char* reason, const SourcePrompt& prompt, std::string detail,
             std::string response_id = "") {
    selection_.rejects.push_back({stage, reason, prompt.prompt_id, std::move(response_id), std::move(detail)});
  }

  bool Overlaps(const data::OverlapIndex& with, const SourcePrompt& prompt, const char* stage, const char* reason) {
    const auto found = with.Find(prompt.prompt);
    if (found) Leave(stage, reason, prompt, Meets(*found));
    return found.has_value();
  }

  /// Step 1.
  Status KeepEnglish() {
    std::unordered_map<std::string, std::string> known;  // normalised text -> prompt id
    std::vector<SourcePrompt> kept;
    for (SourcePrompt& prompt : inputs_.prompts) {
      const auto [same, is_new] = known.emplace(data::NormalisedPrompt(prompt.prompt), prompt.prompt_id);
      if (!is_new) {
        Leave("prompt", "duplicate_prompt", prompt, "as " + same->second);
        continue;
      }
      if (!options_.any_language) {
        const Result<std::string> language = LanguageOfPrompt(prompt);
        SRLM_RETURN_IF_ERROR(language.status());
        if (*language != "en") {
          Leave("prompt", "not_english", prompt, ToldLanguage(*language));
          continue;
        }
      }
      kept.push_back(std::move(prompt));
    }
    inputs_.prompts = std::move(kept);
    return OkStatus();
  }

  Result<std::string> LanguageOfPrompt(const SourcePrompt& prompt) const {
    const bool enough = data::PlainWords(prompt.prompt).size() >= kWordsToTell;
    return language_of_(enough ? prompt.prompt : prompt.answers.front().response);
  }

  /// Step 2.
  void TakeEvaluation() {
    std::vector<SourcePrompt> training;
    for (SourcePrompt& prompt : inputs_.prompts) {
      if (data::IsTrainingPrompt(prompt.prompt_id)) {
        training.push_back(std::move(prompt));
      } else if (!data::IsRanked(prompt)) {
        Leave("evaluation", "not_ranked", prompt, "");
      } else {
        inputs_.evaluation.Add(prompt.prompt, "evaluation prompt " + prompt.prompt_id);
        selection_.evaluation.push_back(std::move(prompt));
      }
    }
    inputs_.prompts = std::move(training);
  }

  bool IsLesson(const SourcePrompt& prompt) const {
    if (options_.eft_share == 0) return false;
    if (!inputs_.eft.empty()) return false;
    if (!data::IsRanked(prompt)) return false;
    return !inputs_.ift.empty() || data::PromptDraw(options_.seed, prompt.prompt_id) < options_.eft_share;
  }

  Status TakeIft(const SourcePrompt& prompt) {
    if (!inputs_.ift.empty()) {
      Leave("ift", "not_needed", prompt, "the rows of --ift are taken");
      return OkStatus();
    }
    const int best = data::BestAnswer(prompt);
    if (best < 0) {
      Leave("ift", "no_best_answer", prompt, fmt::format("{} answers, none ranked", prompt.answers.size()));
      return OkStatus();
    }
    const data::SourceAnswer& answer = prompt.answers[static_cast<size_t>(best)];
    // Of a prompt known to be English. A few words, or code, tell a detector nothing.
    const bool tells =
        answer.response.find("```") == std::string::npos && data::PlainWords(answer.response).size() >= kWordsOfAnswer;
    if (!options_.any_language && tells) {
      const Result<std::string> language = language_of_(answer.response);
      SRLM_RETURN_IF_ERROR(language.status());
      if (*language != "en") {
        Leave("ift", "answer_not_english", prompt, ToldLanguage(*language), answer.response_id);
        return OkStatus();
      }
    }
    ift_prompts_.Add(prompt.prompt, "IFT prompt " + prompt.prompt_id);
    ordered_json messages = ordered_json::array();
    messages.push_back({{"role", "user"}, {"content", prompt.prompt}});
    messages.push_back({{"role", "assistant"}, {"content", answer.response}});
    selection_.ift.push_back(
        {{"messages", messages}, {"prompt_id", prompt.prompt_id}, {"response_id", answer.response_id}});
    return OkStatus();
  }

  void LeaveTooMany() {
    const auto most = static_cast<size_t>(options_.max_eft_prompts);
    std::vector<SourcePrompt>& lessons = selection_.lessons;
    if (most == 0 || lessons.size() <= most) return;
    std::vector<double> draws;
    for (const SourcePrompt& prompt : lessons) draws.push_back(data::PromptDraw(options_.seed, prompt.prompt_id));
    std::ranges::nth_element(draws, draws.begin() + static_cast<std::ptrdiff_t>(most));
    std::erase_if(lessons, [&, limit = draws[most]](const SourcePrompt& prompt) {
      const bool leaves = data::PromptDraw(options_.seed, prompt.prompt_id) >= limit;
      if (leaves) Leave("eft", "not_needed", prompt, fmt::format("--max-eft-prompts is {}", most));
      return leaves;
    });
  }

  /// Steps 3 to 5 for rows that somebody else made.
  void TakeReady(std::vector<ReadyRow>& rows, const char* stage, std::vector<ordered_json>& taken) {
    const bool is_ift = std::string_view(stage) == "ift";
    for (ReadyRow& row : rows) {
      auto found = inputs_.evaluation.Find(row.prompt);
      const char* reason = "overlaps_evaluation";
      if (!found && !is_ift) {
        found = ift_prompts_.Find(row.prompt);
        reason = "overlaps_ift";
      }
      if (found) {
        selection_.rejects.push_back({stage, reason, row.where, "", Meets(*found)});
        continue;
      }
      if (is_ift) ift_prompts_.Add(row.prompt, row.where);
      taken.push_back(std::move(row.row));
    }
  }

  const Options& options_;
  Inputs inputs_;
  const LanguageOf& language_of_;
  data::OverlapIndex ift_prompts_;
  Selection selection_;
};

}  // namespace

Result<Selection> Select(const Options& options, Inputs inputs, const LanguageOf& language_of) {
  return Selector(options, std::move(inputs), language_of).Run();
}

}  // namespace srlm::prepare
