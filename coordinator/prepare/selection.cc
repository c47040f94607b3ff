#include "coordinator/prepare/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "common/data/overlap.h"
#include "common/data/prompt_texts.h"
#include "common/data/seed_split.h"
#include "coordinator/prepare/english_check.h"
#include "coordinator/prepare/ready_check.h"

namespace srlm::prepare {
namespace {

using data::SourcePrompt;
using nlohmann::ordered_json;

std::string Meets(const data::OverlapIndex::Found& found) {
  if (found.same) return "the same as " + found.origin;
  return fmt::format("{} words in a row as in {}", data::OverlapIndex::kWordsInARow, found.origin);
}

class Selector {
 public:
  Selector(const Options& options, Inputs inputs, const LanguageOf& language_of)
      : options_(options), inputs_(std::move(inputs)), english_(options.any_language, language_of) {
    selection_.rejects = std::move(inputs_.rejects);
  }

  Result<Selection> Run() {
    SRLM_RETURN_IF_ERROR(KeepEnglish());
    TakeEvaluation();
    SRLM_RETURN_IF_ERROR(TakeReadyIft());
    SRLM_RETURN_IF_ERROR(TakeReadyEft());
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
      SRLM_ASSIGN_OR_RETURN(const auto other, english_.Prompt(prompt.prompt, prompt.answers.front().response));
      if (other) {
        Leave("prompt", "not_english", prompt, *other);
        continue;
      }
      kept.push_back(std::move(prompt));
    }
    inputs_.prompts = std::move(kept);
    return OkStatus();
  }

  /// Step 2.
  void TakeEvaluation() {
    std::vector<SourcePrompt> training;
    for (SourcePrompt& prompt : inputs_.prompts) {
      if (data::IsTrainingPrompt(prompt.prompt_id)) {
        training.push_back(std::move(prompt));
      } else if (!data::IsRanked(prompt)) {
        Leave("evaluation", "not_ranked", prompt, "");
      } else if (!prompt.system.empty()) {
        Leave("evaluation", "system_message", prompt, "a row has no place for it");
      } else {
        inputs_.evaluation.Add(prompt.prompt, "evaluation prompt " + prompt.prompt_id);
        selection_.evaluation.push_back(std::move(prompt));
      }
    }
    inputs_.prompts = std::move(training);
  }

  bool IsLesson(const SourcePrompt& prompt) const {
    if (options_.eft_share == 0 || !inputs_.eft.empty()) return false;
    if (!data::IsRanked(prompt) || !prompt.system.empty()) return false;
    return !inputs_.ift.empty() || data::PromptDraw(options_.seed, prompt.prompt_id) < options_.eft_share;
  }

  Status TakeIft(const SourcePrompt& prompt) {
    if (!inputs_.ift.empty()) {
      Leave("ift", "not_needed", prompt, "the rows of --ift are taken");
      return OkStatus();
    }
    if (Overlaps(eft_prompts_, prompt, "ift", "overlaps_eft")) return OkStatus();
    const int best = data::BestAnswer(prompt);
    if (best < 0) {
      Leave("ift", "no_best_answer", prompt, fmt::format("{} answers, none ranked", prompt.answers.size()));
      return OkStatus();
    }
    const data::SourceAnswer& answer = prompt.answers[static_cast<size_t>(best)];
    SRLM_ASSIGN_OR_RETURN(const auto other, english_.Answer(answer.response));
    if (other) {
      Leave("ift", "answer_not_english", prompt, *other, answer.response_id);
      return OkStatus();
    }
    ift_prompts_.Add(prompt.prompt, "IFT prompt " + prompt.prompt_id);
    ordered_json messages = ordered_json::array();
    if (!prompt.system.empty()) messages.push_back({{"role", "system"}, {"content", prompt.system}});
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

  /// Step 3.
  Status TakeReadyIft() {
    ReadyCheck check(english_);
    for (ReadyRow& row : inputs_.ift) {
      std::optional<Wrong> wrong = Overlaps(inputs_.evaluation, row, "overlaps_evaluation");
      if (!wrong && !options_.keep_given) {
        SRLM_ASSIGN_OR_RETURN(wrong, check.Ift(row));
      }
      if (wrong) {
        LeaveReady("ift", *wrong, row);
        continue;
      }
      ift_prompts_.Add(row.prompt, row.where);
      selection_.ift.emplace_back(row.row);
    }
    return OkStatus();
  }

  Status TakeReadyEft() {
    ReadyCheck check(english_);
    std::vector<ReadyRow> rows;
    for (ReadyRow& row : inputs_.eft) {
      std::optional<Wrong> wrong = Overlaps(inputs_.evaluation, row, "overlaps_evaluation");
      if (!wrong) wrong = Overlaps(ift_prompts_, row, "overlaps_ift");
      if (!wrong && !options_.keep_given) {
        SRLM_ASSIGN_OR_RETURN(wrong, check.Eft(row));
      }
      if (wrong) {
        LeaveReady("eft", *wrong, row);
        continue;
      }
      rows.push_back(std::move(row));
    }
    Balance(rows);
    return OkStatus();
  }

  void Balance(std::vector<ReadyRow>& rows) {
    std::vector<int> scores, left;
    std::vector<std::string> keys;
    for (const ReadyRow& row : rows) {
      scores.push_back(row.score);
      keys.push_back(row.prompt + "\n" + row.answer);
    }
    const bool all = options_.keep_given || !options_.balance;
    const std::vector<bool> stays =
        all ? std::vector<bool>(rows.size(), true) : data::BalanceScores(scores, keys, options_.seed);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!stays[i]) {
        LeaveReady("eft", {"balance", fmt::format("score {} is the most frequent", scores[i])}, rows[i]);
        continue;
      }
      left.push_back(scores[i]);
      eft_prompts_.Add(rows[i].prompt, rows[i].where);
      selection_.eft.emplace_back(rows[i].row);
    }
    selection_.scores_before = data::CountScores(scores);
    selection_.scores_after = data::CountScores(left);
  }

  static std::optional<Wrong> Overlaps(const data::OverlapIndex& with, const ReadyRow& row, const char* reason) {
    auto found = with.Find(row.prompt);
    for (size_t i = 0; !found && i < row.later_prompts.size(); ++i) found = with.Find(row.later_prompts[i]);
    if (!found) return std::nullopt;
    return Wrong{reason, Meets(*found)};
  }

  void LeaveReady(const char* stage, const Wrong& wrong, const ReadyRow& row) {
    selection_.rejects.push_back({stage, wrong.reason, row.where, "", wrong.detail});
  }

  const Options& options_;
  Inputs inputs_;
  EnglishCheck english_;
  data::OverlapIndex ift_prompts_;
  data::OverlapIndex eft_prompts_;  // of ready-made rows
  Selection selection_;
};

}  // namespace

Result<Selection> Select(const Options& options, Inputs inputs, const LanguageOf& language_of) {
  return Selector(options, std::move(inputs), language_of).Run();
}

}  // namespace srlm::prepare
