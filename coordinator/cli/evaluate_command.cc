#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "common/data/judge_metrics.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/measuring.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

using measure::Json;

/// What is measured on, read and chosen before any model is loaded.
struct Inputs {
  std::vector<data::RankedAnswer> ranked;
  std::vector<data::JudgeItem> held_out;
  std::vector<data::Prompt> prompts;
  Json files = Json::object();
};

/// Keeps the rows whose prompt is chosen.
template <class Row, class TextOf>
Status Keep(const Measuring& measuring, const std::string& path, TextOf text_of, std::vector<Row>& rows,
            Json& description) {
  std::vector<std::string> texts;
  for (const Row& row : rows) texts.push_back(text_of(row));
  SRLM_ASSIGN_OR_RETURN(const std::vector<bool> chosen, measuring.Choose(path, texts, description));
  std::vector<Row> kept;
  for (size_t i = 0; i < rows.size(); ++i)
    if (chosen[i]) kept.push_back(std::move(rows[i]));
  rows = std::move(kept);
  return OkStatus();
}

Result<Inputs> Load(const EvaluateOptions& options, const Measuring& measuring) {
  Inputs inputs;
  if (!options.data.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.ranked, data::LoadRankedAnswers(options.data));
    SRLM_RETURN_IF_ERROR(measure::CheckRanked(inputs.ranked, options.data));
    SRLM_RETURN_IF_ERROR(Keep(
        measuring, options.data, [](const data::RankedAnswer& row) { return row.prompt; }, inputs.ranked,
        inputs.files["data"]));
    SRLM_RETURN_IF_ERROR(measure::CheckRanked(inputs.ranked, options.data + ", as far as it is used"));
  }
  const auto text_of = [](const auto& row) { return data::UserText(row.prompt); };
  if (!options.held_out.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.held_out, data::LoadHumanAnswers(options.held_out));
    SRLM_RETURN_IF_ERROR(Keep(measuring, options.held_out, text_of, inputs.held_out, inputs.files["held_out"]));
  }
  if (!options.prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(inputs.prompts, data::LoadPrompts(options.prompts));
    SRLM_RETURN_IF_ERROR(Keep(
        measuring, options.prompts, [](const data::Prompt& row) { return data::UserText(row.input); }, inputs.prompts,
        inputs.files["prompts"]));
  }
  return inputs;
}

/// Measures one model into `figures`, its place in `result`, which is kept after each part. `first`: what the first
/// model judged, which others are compared with; set by the first.
Status Measure(Measuring& measuring, const measure::NamedModel& model, const Inputs& inputs,
               const EvaluateOptions& options, std::vector<data::JudgedAnswer>& first, const Json& result,
               Json& figures) {
  measure::FileWorker& worker = measuring.worker();
  if (!inputs.ranked.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto judged, measure::JudgeRanked(worker, model, inputs.ranked, options.judging));
    figures["judge"] = data::ToJson(data::ComputeJudgeMetrics(judged, options.judging.seed));
    if (first.empty())
      first = judged;
    else
      figures["judge_gain"] = data::ToJson(data::ComputeJudgeGain(first, judged, options.judging.seed));
    SRLM_RETURN_IF_ERROR(measuring.Keep(result));
  }
  if (!inputs.held_out.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto figure,
                          measure::MeasureLikelihood(worker, model, inputs.held_out, options.judging.seed));
    figures["held_out"] = {{"logprob_per_token", data::ToJson(figure)},
                           {"failed", static_cast<int64_t>(inputs.held_out.size()) - figure.n}};
    SRLM_RETURN_IF_ERROR(measuring.Keep(result));
  }
  if (!inputs.prompts.empty()) {
    SRLM_ASSIGN_OR_RETURN(const auto answers, measure::AnswerPrompts(worker, model, inputs.prompts, options.sampling));
    figures["answers"] = data::DescribeAnswers(answers, options.sampling.seed);
    SRLM_RETURN_IF_ERROR(measuring.Keep(result));
  }
  return OkStatus();
}

/// Figures are rows and models are columns.
std::string AsTable(const Json& models) {
  struct Line {
    const char* title;
    const char* pointer;
    int digits;
  };
  constexpr Line kLines[] = {
      {"judge: pairwise accuracy", "/judge/pairwise_accuracy", 2},
      {"judge: pairwise accuracy, matched length", "/judge/pairwise_accuracy_length_matched", 2},
      {"judge: pairwise accuracy over the first's", "/judge_gain/pairwise_accuracy", 2},
      {"the same, matched length", "/judge_gain/pairwise_accuracy_length_matched", 2},
      {"\"longer wins\"", "/judge/longer_wins", 2},
      {"\"longer wins\", matched length", "/judge/longer_wins_length_matched", 2},
      {"judge: ties", "/judge/predicted_ties", 2},
      {"judge: exact match", "/judge/exact_match", 2},
      {"judge: 5-best", "/judge/five_best", 2},
      {"judge: Spearman", "/judge/spearman", 2},
      {"judge: Kendall", "/judge/kendall", 2},
      {"judge: answers with a score", "/judge/parse_rate", 2},
      {"judge: correlation of score and length", "/judge/length_correlation", 2},
      {"held-out answers: log-probability a token", "/held_out/logprob_per_token", 4},
      {"answers: characters", "/answers/characters", 0},
      {"answers: tokens", "/answers/tokens", 0},
      {"answers: cut", "/answers/cut", 2},
      {"answers: distinct-1", "/answers/distinct_1", 3},
      {"answers: distinct-2", "/answers/distinct_2", 3},
      {"answers: distinct-3", "/answers/distinct_3", 3},
  };
  std::vector<Column> columns = {{"figure"}};
  for (const Json& model : models) columns.push_back({model["model"].get<std::string>()});
  Table table(columns);
  for (const Line& line : kLines) {
    const Json::json_pointer pointer(line.pointer);
    if (!models.back().contains(pointer)) continue;
    std::vector<std::string> cells = {line.title};
    for (const Json& model : models) {
      cells.push_back(model.contains(pointer) ? DescribeFigure(model[pointer], line.digits) : "");
    }
    table.AddRow(std::move(cells));
  }
  return table.Render(TerminalWidth(STDOUT_FILENO));
}

Status Run(const EvaluateOptions& options) {
  std::vector<measure::NamedModel> models;
  for (const std::string& text : options.models) {
    SRLM_ASSIGN_OR_RETURN(auto found, measure::FindModels(text));
    std::ranges::move(found, std::back_inserter(models));
  }
  if (!options.more.chat_template.empty()) {
    std::vector<measure::NamedModel*> all;
    for (measure::NamedModel& model : models) all.push_back(&model);
    SRLM_RETURN_IF_ERROR(measure::GiveChatTemplate(options.more.chat_template, all));
  }
  SRLM_ASSIGN_OR_RETURN(const auto measuring, Measuring::Make(options.more, models));
  SRLM_ASSIGN_OR_RETURN(const Inputs inputs, Load(options, *measuring));
  Json result;
  result["asked"] = inputs.files;
  if (!inputs.ranked.empty()) {
    SRLM_ASSIGN_OR_RETURN(result["asked"]["judging"], Describe(options.judging));
  }
  if (!inputs.prompts.empty()) result["asked"]["sampling"] = measure::ToJson(options.sampling);
  Json& figures = result["models"] = Json::array();
  for (const measure::NamedModel& model : models) {
    SRLM_ASSIGN_OR_RETURN(figures.emplace_back(), Describe(model));
    if (!inputs.ranked.empty() && options.judging.judge_template.empty() && !model.judge_template.empty()) {
      SRLM_ASSIGN_OR_RETURN(figures.back()["judge_template"], DescribeFile(model.judge_template));
    }
  }
  SRLM_RETURN_IF_ERROR(measuring->Begin("evaluate", result["asked"], figures));
  std::vector<data::JudgedAnswer> first;
  for (size_t i = 0; i < models.size(); ++i)
    SRLM_RETURN_IF_ERROR(Measure(*measuring, models[i], inputs, options, first, result, figures[i]));
  return measuring->Finish(result, AsTable(figures));
}

}  // namespace

int Evaluate(const EvaluateOptions& options) { return Finish(Run(options)); }

}  // namespace srlm::cli
