#include <fmt/format.h>

#include <cstdio>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "coordinator/cli/answer_options.h"
#include "coordinator/cli/measuring.h"
#include "coordinator/cli/output.h"
#include "coordinator/measure/benchmarks.h"

namespace srlm::cli {
namespace {

using measure::Json;

Status Run(const AnswerOptions& options) {
  SRLM_ASSIGN_OR_RETURN(const measure::NamedModel model, measure::FindModel(options.model));
  SRLM_RETURN_IF_ERROR(CheckWritable(options.out));
  MeasureOptions more;
  more.threads = options.threads;
  more.overlap = "allow";  // a benchmark's questions are what they are
  SRLM_ASSIGN_OR_RETURN(const auto measuring, Measuring::Make(more, {model}));
  const auto answering = [&](const std::vector<data::Prompt>& prompts, double temperature) {
    measure::Sampling sampling = options.sampling;
    sampling.temperature = temperature;
    return measure::AnswerPrompts(measuring->worker(), model, prompts, sampling);
  };
  const std::string name = options.name.empty() ? model.name : options.name;
  std::string content;
  size_t rows = 0;
  if (options.benchmark == "alpaca-eval") {
    SRLM_ASSIGN_OR_RETURN(auto questions, measure::LoadAlpacaQuestions(options.questions));
    if (options.limit > 0 && static_cast<int>(questions.size()) > options.limit) questions.resize(options.limit);
    SRLM_ASSIGN_OR_RETURN(const Json list,
                          measure::AlpacaAnswers(questions, name, options.sampling.temperature, answering));
    rows = list.size();
    content = list.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  } else {
    SRLM_ASSIGN_OR_RETURN(auto questions, measure::LoadMtBenchQuestions(options.questions));
    if (options.limit > 0 && static_cast<int>(questions.size()) > options.limit) questions.resize(options.limit);
    const double now_s = static_cast<double>(WallClockMs()) / 1000;
    SRLM_ASSIGN_OR_RETURN(const auto answers, measure::MtBenchAnswers(questions, name, now_s, answering));
    rows = answers.size();
    for (const Json& row : answers) content += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(options.out, content));
  std::fprintf(stderr, "%zu answers in %s\n", rows, options.out.c_str());
  return OkStatus();
}

}  // namespace

int AnswerBenchmark(const AnswerOptions& options) {
  const Status done = Run(options);
  return done.ok() ? kExitDone : Fail(done);
}

}  // namespace srlm::cli
