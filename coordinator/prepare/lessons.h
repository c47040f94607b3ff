// EFT: lessons in judging, made of answers that people ranked and of judgements that a model wrote about them.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/data/judge_template.h"
#include "common/data/lesson_choice.h"
#include "common/data/source.h"
#include "coordinator/prepare/language_of.h"
#include "coordinator/prepare/options.h"
#include "coordinator/prepare/writer.h"

namespace srlm::prepare {

struct Lessons {
  std::vector<nlohmann::ordered_json> rows;  // EFT rows with origin, prompt_id, response_id, quality
  std::vector<data::Reject> rejects;         // stage eft
  std::string origin;                        // sampled, human
  int64_t probe_texts = 0;                   // judgements of the first answers, which decided the origin
  int64_t probe_parsed = 0;
  int64_t prompts = 0;            // with a row
  data::ScoreHistogram before{};  // scores before and after balancing
  data::ScoreHistogram after{};
  std::vector<std::string> first_texts;  // of the writer, for a person who looks for what is wrong
};

/// Where fewer judgements of the probe have a score, the score is taken from people.
inline constexpr double kLeastParsed = 0.1;

/// `sampled`: the writer judges each answer; a prompt's rows are kept when all have a score and the scores stand in
/// people's order (data::CompareOrder), by the first of options.tries that does and has a justification for each, else
/// the one with the most of them. `human`: the scores are
/// data::ScoresFromRanks, and the writer is asked for the justification of each. Unless options say which, the first
/// options.probe answers are judged, and the rate of those with a score decides. Justifications in another language
/// than English leave, as options say. Then data::BalanceScores.
/// `prompts` are ranked. There may be no row left: WhyNoLesson tells people then.
Result<Lessons> MakeLessons(const std::vector<data::SourcePrompt>& prompts, const data::JudgeTemplate& judge_template,
                            const Options& options, Writer& writer, const LanguageOf& language_of,
                            const std::function<void(const std::string&)>& say);

/// For lessons without a row: the first texts, so that one sees what the model writes.
std::string WhyNoLesson(const Lessons& lessons);

}  // namespace srlm::prepare
