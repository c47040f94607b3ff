#include "coordinator/prepare/lessons.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/data/justification.h"
#include "common/data/verdict.h"
#include "coordinator/prepare/english_check.h"

namespace srlm::prepare {
namespace {

using data::SourceAnswer;
using data::SourcePrompt;
using nlohmann::ordered_json;
using Texts = std::vector<std::vector<Written>>;

constexpr size_t kFirstTexts = 5;

/// An answer with a quality, and its prompt.
struct Ranked {
  const SourcePrompt* prompt;
  const SourceAnswer* answer;
};

/// What came of judgements.
struct Made {
  std::vector<ordered_json> rows;
  std::vector<data::Reject> rejects;
};

std::string KeyOf(const SourcePrompt& prompt, const SourceAnswer& answer) {
  return prompt.prompt_id + "/" + answer.response_id;
}

class LessonMaker {
 public:
  LessonMaker(const std::vector<SourcePrompt>& prompts, const data::JudgeTemplate& judge_template,
              const Options& options, Writer& writer, const LanguageOf& language_of,
              const std::function<void(const std::string&)>& say)
      : prompts_(prompts),
        template_(judge_template),
        options_(options),
        writer_(writer),
        english_(options.any_language, language_of),
        say_(say) {
    for (const SourcePrompt& prompt : prompts)
      for (const SourceAnswer& answer : prompt.answers)
        if (answer.quality) ranked_.push_back({&prompt, &answer});
  }

  Result<Lessons> Run() {
    Texts judged;
    lessons_.origin = options_.origin;
    if (lessons_.origin.empty()) {
      SRLM_ASSIGN_OR_RETURN(judged, Probe());
    }
    if (lessons_.origin == "sampled") {
      SRLM_RETURN_IF_ERROR(Sample(std::move(judged)));
    } else {
      SRLM_RETURN_IF_ERROR(Justify());
    }
    Balance();
    return std::move(lessons_);
  }

 private:
  Result<Texts> Judge(size_t from, size_t to) {
    std::vector<Question> questions;
    for (size_t i = from; i < to; ++i) {
      const auto& [prompt, answer] = ranked_[i];
      questions.push_back({KeyOf(*prompt, *answer), template_.Fill(prompt->prompt, answer->response)});
    }
    auto texts = writer_.Write(questions, options_.tries);
    if (texts.ok()) NoteFirst(*texts);
    return texts;
  }

  void NoteFirst(const Texts& texts) {
    for (size_t i = 0; i < texts.size() && lessons_.first_texts.size() < kFirstTexts; ++i)
      lessons_.first_texts.push_back(texts[i][0].error.empty() ? texts[i][0].text : texts[i][0].error);
  }

  /// Judges the first answers and decides whose scores are taken.
  Result<Texts> Probe() {
    const size_t count = std::min(static_cast<size_t>(options_.probe), ranked_.size());
    say_(fmt::format("judging the first {} of {} answers", count, ranked_.size()));
    SRLM_ASSIGN_OR_RETURN(Texts texts, Judge(0, count));
    for (const auto& tries : texts) {
      for (const Written& written : tries) {
        ++lessons_.probe_texts;
        lessons_.probe_parsed += data::ParseVerdict(written.text).score ? 1 : 0;
      }
    }
    const bool parses =
        static_cast<double>(lessons_.probe_parsed) >= kLeastParsed * static_cast<double>(lessons_.probe_texts);
    lessons_.origin = parses ? "sampled" : "human";
    say_(fmt::format("{} of {} judgements have a score: {}", lessons_.probe_parsed, lessons_.probe_texts,
                     parses ? "the model's scores are taken where they agree with people's order"
                            : "people's order gives the scores, the model justifies them"));
    return texts;
  }

  /// `judged`: the texts of the first answers, where the probe has made them.
  Status Sample(Texts judged) {
    say_(fmt::format("judging {} answers", ranked_.size() - judged.size()));
    SRLM_ASSIGN_OR_RETURN(Texts rest, Judge(judged.size(), ranked_.size()));
    std::ranges::move(rest, std::back_inserter(judged));
    size_t at = 0;
    for (const SourcePrompt& prompt : prompts_) {
      const size_t begin = at;
      while (at < ranked_.size() && ranked_[at].prompt == &prompt) ++at;
      SRLM_RETURN_IF_ERROR(ChooseTry(prompt, std::span(judged).subspan(begin, at - begin)));
    }
    return OkStatus();
  }

  /// Rows of the first try whose scores stand in people's order and that has a justification for each; when none has
  /// all, of the one with the most rows. `texts`: of the prompt's ranked answers, by try.
  Status ChooseTry(const SourcePrompt& prompt, std::span<const std::vector<Written>> texts) {
    data::OrderAgreement last = data::OrderAgreement::kUnparsed;
    std::optional<Made> best;
    for (size_t i = 0; i < static_cast<size_t>(options_.tries); ++i) {
      std::vector<std::optional<int>> scores;
      size_t at = 0;
      for (const SourceAnswer& answer : prompt.answers)
        scores.push_back(answer.quality ? data::ParseVerdict(texts[at++][i].text).score : std::nullopt);
      last = data::CompareOrder(prompt, scores);
      if (last != data::OrderAgreement::kAgrees) continue;
      at = 0;
      Made made;
      for (size_t a = 0; a < prompt.answers.size(); ++a)
        if (prompt.answers[a].quality)
          SRLM_RETURN_IF_ERROR(AddRow(prompt, prompt.answers[a], *scores[a], texts[at++][i], made));
      if (!best || made.rows.size() > best->rows.size()) best = std::move(made);
      if (best->rejects.empty()) break;
    }
    if (best) {
      Take(std::move(*best));
    } else {
      Leave(prompt, "", std::string(data::OrderAgreementName(last)), "", lessons_.rejects);
    }
    return OkStatus();
  }

  Status Justify() {
    std::vector<Question> questions;
    std::vector<int> given;
    for (const SourcePrompt& prompt : prompts_) {
      const auto scores = data::ScoresFromRanks(prompt);
      for (size_t i = 0; i < scores.size(); ++i) {
        if (!scores[i]) continue;
        const SourceAnswer& answer = prompt.answers[i];
        given.push_back(*scores[i]);
        questions.push_back(
            {KeyOf(prompt, answer), data::AskForJustification(prompt.prompt, answer.response, *scores[i])});
      }
    }
    say_(fmt::format("justifying {} scores", questions.size()));
    SRLM_ASSIGN_OR_RETURN(const Texts texts, writer_.Write(questions, 1));
    lessons_.first_texts.clear();
    NoteFirst(texts);
    Made made;
    for (size_t i = 0; i < ranked_.size(); ++i)
      SRLM_RETURN_IF_ERROR(AddRow(*ranked_[i].prompt, *ranked_[i].answer, given[i], texts[i][0], made));
    Take(std::move(made));
    return OkStatus();
  }

  void Take(Made made) {
    std::ranges::move(made.rows, std::back_inserter(lessons_.rows));
    std::ranges::move(made.rejects, std::back_inserter(lessons_.rejects));
  }

  /// A row of what was written about an answer, or why there is none.
  Status AddRow(const SourcePrompt& prompt, const SourceAnswer& answer, int score, const Written& written,
                Made& made) const {
    const auto leave = [&](std::string reason, std::string detail) {
      Leave(prompt, answer.response_id, std::move(reason), std::move(detail), made.rejects);
      return OkStatus();
    };
    if (!written.error.empty()) return leave("not_written", written.error);
    const data::Justification justification = data::TakeJustification(written.text, written.cut);
    if (justification.text.empty()) return leave(std::string(justification.wrong), "");
    SRLM_ASSIGN_OR_RETURN(const auto other, english_.Justification(justification.text));
    if (other) return leave("justification_not_english", *other);
    made.rows.push_back({{"prompt", prompt.prompt},
                         {"response", answer.response},
                         {"justification", justification.text},
                         {"score", score},
                         {"origin", lessons_.origin},
                         {"prompt_id", prompt.prompt_id},
                         {"response_id", answer.response_id},
                         {"quality", *answer.quality}});
    return OkStatus();
  }

  static void Leave(const SourcePrompt& prompt, const std::string& response_id, std::string reason, std::string detail,
                    std::vector<data::Reject>& rejects) {
    rejects.push_back({"eft", std::move(reason), prompt.prompt_id, response_id, std::move(detail)});
  }

  void Balance() {
    std::vector<int> scores;
    std::vector<std::string> keys;
    for (const ordered_json& row : lessons_.rows) {
      scores.push_back(row["score"].get<int>());
      keys.push_back(row["prompt_id"].get<std::string>() + "/" + row["response_id"].get<std::string>());
    }
    lessons_.before = data::CountScores(scores);
    const std::vector<bool> stays =
        options_.balance ? data::BalanceScores(scores, keys, options_.seed) : std::vector<bool>(scores.size(), true);
    std::vector<ordered_json> rows;
    std::vector<int> left;
    for (size_t i = 0; i < stays.size(); ++i) {
      const ordered_json& row = lessons_.rows[i];
      if (!stays[i]) {
        lessons_.rejects.push_back({"eft", "balance", row["prompt_id"], row["response_id"],
                                    fmt::format("score {} is the most frequent", scores[i])});
        continue;
      }
      left.push_back(scores[i]);
      if (rows.empty() || rows.back()["prompt_id"] != row["prompt_id"]) ++lessons_.prompts;
      rows.push_back(row);
    }
    lessons_.after = data::CountScores(left);
    lessons_.rows = std::move(rows);
  }

  const std::vector<SourcePrompt>& prompts_;
  const data::JudgeTemplate& template_;
  const Options& options_;
  Writer& writer_;
  EnglishCheck english_;
  const std::function<void(const std::string&)>& say_;

  std::vector<Ranked> ranked_;  // prompt by prompt
  Lessons lessons_;
};

}  // namespace

Result<Lessons> MakeLessons(const std::vector<SourcePrompt>& prompts, const data::JudgeTemplate& judge_template,
                            const Options& options, Writer& writer, const LanguageOf& language_of,
                            const std::function<void(const std::string&)>& say) {
  return LessonMaker(prompts, judge_template, options, writer, language_of, say).Run();
}

std::string WhyNoLesson(const Lessons& lessons) {
  std::string text = fmt::format("no row of EFT is left (scores: {}); the model's first texts:", lessons.origin);
  for (const std::string& first : lessons.first_texts)
    text += "\n  " + ordered_json(first.substr(0, 200)).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return text;
}

}  // namespace srlm::prepare
