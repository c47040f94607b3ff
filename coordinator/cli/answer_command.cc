#include <fmt/format.h>

#include <cstdio>

#include "common/base/clock.h"
#include "common/data/row.h"
#include "coordinator/cli/answer_options.h"
#include "coordinator/cli/measuring.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/result_file.h"
#include "coordinator/cli/text.h"
#include "coordinator/measure/benchmarks.h"

namespace srlm::cli {
namespace {

using measure::Json;

/// What the answers to a benchmark's questions are like, for the person who wants them judged.
class Tally {
 public:
  void Add(const data::Prompt& prompt, const measure::Answer& answer) {
    ++texts_;
    cut_ += answer.cut ? 1 : 0;
    if (!data::IsBlankText(answer.text)) return;
    if (empty_++ < kShown)
      shown_ +=
          fmt::format("\n  {} \"{}\": {}", prompt.prompt_id, Shorten(OneLine(data::PlainText(prompt.input)), kColumns),
                      answer.error.empty() ? "the model says nothing" : answer.error);
  }

  /// FailedPrecondition when there is no answer at all.
  Status Check() const {
    if (empty_ < texts_) return OkStatus();
    return FailedPrecondition(fmt::format("all {} answers are empty; the first:{}", texts_, shown_));
  }

  std::string Describe(int max_new_tokens) const {
    std::string text;
    if (cut_ > 0)
      text += fmt::format("{} of {} texts are cut at {} tokens; --max-new-tokens sets the limit\n", cut_, texts_,
                          max_new_tokens);
    if (empty_ > 0) text += fmt::format("{} of {} texts are empty; the first:{}\n", empty_, texts_, shown_);
    return text;
  }

 private:
  static constexpr int64_t kShown = 5;
  static constexpr size_t kColumns = 50;  // of a question
  int64_t texts_ = 0;
  int64_t cut_ = 0;
  int64_t empty_ = 0;
  std::string shown_;  // the first that are empty, a line each
};

std::string Line(const Json& row) { return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Status Run(const AnswerOptions& options) {
  SRLM_ASSIGN_OR_RETURN(measure::NamedModel model, measure::FindModel(options.model));
  if (!options.chat_template.empty()) {
    measure::NamedModel* const all[] = {&model};
    SRLM_RETURN_IF_ERROR(measure::GiveChatTemplate(options.chat_template, all));
  }
  SRLM_ASSIGN_OR_RETURN(const auto file, ResultFile::Begin(options.out));
  MeasureOptions more;
  more.threads = options.threads;
  more.overlap = "allow";  // a benchmark's questions are what they are
  SRLM_ASSIGN_OR_RETURN(const auto measuring, Measuring::Make(more, {model}));
  Tally tally;
  std::string kept;  // the texts so far
  const auto answering = [&](const std::vector<data::Prompt>& prompts,
                             double temperature) -> Result<std::vector<measure::Answer>> {
    measure::Sampling sampling = options.sampling;
    sampling.temperature = temperature;
    SRLM_ASSIGN_OR_RETURN(auto answers, measure::AnswerPrompts(measuring->worker(), model, prompts, sampling));
    for (size_t i = 0; i < prompts.size(); ++i) {
      tally.Add(prompts[i], answers[i]);
      kept += Line({{"prompt_id", prompts[i].prompt_id}, {"text", answers[i].text}, {"error", answers[i].error}});
    }
    SRLM_RETURN_IF_ERROR(file->Keep(kept));
    return answers;
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
    for (const Json& row : answers) content += Line(row);
  }
  SRLM_RETURN_IF_ERROR(tally.Check());
  SRLM_RETURN_IF_ERROR(file->Finish(content));
  std::fprintf(stderr, "%zu answers in %s\n%s", rows, options.out.c_str(),
               tally.Describe(options.sampling.max_new_tokens).c_str());
  return OkStatus();
}

}  // namespace

int AnswerBenchmark(const AnswerOptions& options) {
  const Status done = Run(options);
  return done.ok() ? kExitDone : Fail(done);
}

}  // namespace srlm::cli
