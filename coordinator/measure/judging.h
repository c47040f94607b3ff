// A model as a judge on files: its scores of human-ranked answers, its comparisons of two models' answers, and how
// probable it finds people's answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/data/head_to_head.h"
#include "common/data/judge_metrics.h"
#include "common/data/records.h"
#include "coordinator/measure/file_worker.h"

namespace srlm::measure {

/// How a judge is asked.
struct Judging {
  bool expected = true;  // the probabilities after the opened verdict; else votes are sampled
  int votes = 3;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 256;
  uint64_t seed = 1;
  std::string judge_template;  // empty: the judge's run's, else the built-in one
};

/// InvalidArgument when no prompt of `answers` (of file `path`) has two answers that people ranked unequal: then there
/// is nothing to measure.
Status CheckRanked(const std::vector<data::RankedAnswer>& answers, const std::string& path);

/// The judge's scores beside people's.
Result<std::vector<data::JudgedAnswer>> JudgeRanked(FileWorker& worker, const NamedModel& judge,
                                                    const std::vector<data::RankedAnswer>& answers,
                                                    const Judging& judging);

/// Log-probability a token of people's answers.
Result<data::Figure> MeasureLikelihood(FileWorker& worker, const NamedModel& model,
                                       const std::vector<data::JudgeItem>& answers, uint64_t seed);

/// Two answers to one prompt.
struct AnswerPair {
  std::string prompt_id;
  std::string prompt;
  std::string x;
  std::string y;
};

struct JudgedPairs {
  std::vector<data::ComparedAnswers> compared;
  std::vector<nlohmann::json> rows;  // as srlm-worker judge --pairwise writes them
};

/// Compares the answers in both orders. FailedPrecondition, with the judge's first words, when none of its verdicts can
/// be read.
Result<JudgedPairs> JudgePairs(FileWorker& worker, const NamedModel& judge, const std::vector<AnswerPair>& pairs,
                               const Judging& judging);

/// Without the template.
Json ToJson(const Judging& judging);

}  // namespace srlm::measure
