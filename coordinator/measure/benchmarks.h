// Questions of outside benchmarks, and a model's answers in the form that the benchmarks' own programs load.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coordinator/measure/answers.h"

namespace srlm::measure {

/// AlpacaEval's questions: a JSON list or JSON Lines of {"instruction"}, optionally "dataset". InvalidArgument with the
/// file and the row, of a list the element counted from 1.
struct AlpacaQuestion {
  std::string instruction;
  std::string dataset;  // empty: the row has none
};
Result<std::vector<AlpacaQuestion>> LoadAlpacaQuestions(const std::string& path);

/// MT-Bench's questions: JSON Lines of {"question_id" (a whole number), "category", "turns"}. InvalidArgument
/// `file:line: ...` for a row that is none, and an id that is there twice.
struct MtBenchQuestion {
  int64_t question_id = 0;
  std::string category;
  std::vector<std::string> turns;  // of the user, one or more
};
Result<std::vector<MtBenchQuestion>> LoadMtBenchQuestions(const std::string& path);

/// The temperature at which MT-Bench asks a category: 0.7 for writing, roleplay and unknown ones, 0.1 for stem and
/// humanities, 0 for extraction, math, coding and reasoning (arXiv 2306.05685).
double MtBenchTemperature(const std::string& category);

/// Answers of a list of prompts at one temperature.
using Answering =
    std::function<Result<std::vector<Answer>>(const std::vector<data::Prompt>& prompts, double temperature)>;

/// A JSON list of {"instruction", "output", "generator", "dataset"}, as alpaca_eval's --model_outputs reads it; a
/// question that the model cannot do (too long) has an empty output.
Result<Json> AlpacaAnswers(const std::vector<AlpacaQuestion>& questions, const std::string& generator,
                           double temperature, const Answering& answering);

/// Rows {"question_id", "answer_id", "model_id", "choices": [{"index", "turns"}], "tstamp"} as FastChat's model_answer
/// folder holds them. A later turn is asked after the answers to the earlier ones; where the model cannot go on, the
/// rest is empty. `now_s`: seconds since 1970.
Result<std::vector<Json>> MtBenchAnswers(const std::vector<MtBenchQuestion>& questions, const std::string& model_id,
                                         double now_s, const Answering& answering);

}  // namespace srlm::measure
