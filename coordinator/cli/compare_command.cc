#include <fmt/format.h>
#include <unistd.h>

#include <tuple>

#include "common/base/file.h"
#include "common/data/jsonl.h"
#include "common/data/pairwise_template.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/measuring.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

using measure::Json;

/// The prompts that both models answered, with what they said.
std::vector<measure::AnswerPair> Pairs(const std::vector<data::Prompt>& prompts, const std::vector<measure::Answer>& a,
                                       const std::vector<measure::Answer>& b) {
  std::vector<measure::AnswerPair> pairs;
  for (size_t i = 0; i < prompts.size(); ++i)
    if (a[i].error.empty() && b[i].error.empty())
      pairs.push_back({prompts[i].prompt_id, data::PlainText(prompts[i].input), a[i].text, b[i].text});
  return pairs;
}

Status WriteRows(const std::string& path, const std::vector<measure::AnswerPair>& pairs,
                 const measure::JudgedPairs& judged) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(path));
  for (size_t i = 0; i < pairs.size(); ++i) {
    Json row = {{"prompt_id", pairs[i].prompt_id},
                {"prompt", pairs[i].prompt},
                {"answer_a", pairs[i].x},
                {"answer_b", pairs[i].y}};
    for (const auto& [key, value] : judged.rows[i].items())
      if (key != "id") row[key] = value;
    SRLM_RETURN_IF_ERROR(writer.Write(row));
  }
  return writer.Close();
}

std::string AsTable(const Json& result) {
  const std::string a = result["a"]["model"], b = result["b"]["model"];
  constexpr std::pair<const char*, const char*> kLines[] = {
      {"A wins", "win"},
      {"tie, or the orders disagree", "tie"},
      {"B wins", "lose"},
      {"win rate of A, a tie is one half", "win_rate"},
      {"win rate of A, length-controlled", "win_rate_length_controlled"},
      {"win rate of A, matched length", "win_rate_length_matched"},
      {"mean preference for A", "preference"},
      {"order flips", "flipped"},
      {"preference for the first place", "prefers_first"},
      {"the longer answer wins", "longer_wins"},
      {"judged in both orders", "judged"},
  };
  Table table({{"A against B"}, {"share"}});
  for (const auto& [title, key] : kLines) table.AddRow({title, DescribeFigure(result["head_to_head"][key])});
  Table answers({{"answers"}, {"A"}, {"B"}});
  for (const auto& [title, key, digits] :
       {std::tuple{"characters", "characters", 0}, {"tokens", "tokens", 0}, {"cut", "cut", 2}})
    answers.AddRow({title, DescribeFigure(result["a"]["answers"][key], digits),
                    DescribeFigure(result["b"]["answers"][key], digits)});
  for (const auto& [title, key] :
       {std::pair{"distinct-1", "distinct_1"}, {"distinct-2", "distinct_2"}, {"distinct-3", "distinct_3"}})
    answers.AddRow({title, fmt::format("{:.3f}", result["a"]["answers"][key].get<double>()),
                    fmt::format("{:.3f}", result["b"]["answers"][key].get<double>())});
  const size_t width = TerminalWidth(STDOUT_FILENO);
  return fmt::format("A: {}\nB: {}\njudge: {}\n\n{}\n{}", a, b, result["judge"]["model"].get<std::string>(),
                     table.Render(width), answers.Render(width));
}

Status Run(const CompareOptions& options) {
  SRLM_ASSIGN_OR_RETURN(const measure::NamedModel a, measure::FindModel(options.a));
  SRLM_ASSIGN_OR_RETURN(const measure::NamedModel b, measure::FindModel(options.b));
  SRLM_ASSIGN_OR_RETURN(const measure::NamedModel judge, measure::FindModel(options.judge));
  SRLM_RETURN_IF_ERROR(data::PairwiseTemplate::Load(options.judging.judge_template).status());
  SRLM_ASSIGN_OR_RETURN(const auto measuring, Measuring::Make(options.more, {a, b}));
  SRLM_ASSIGN_OR_RETURN(std::vector<data::Prompt> all, data::LoadPrompts(options.prompts));
  std::vector<std::string> texts;
  for (const data::Prompt& prompt : all) texts.push_back(data::UserText(prompt.input));
  Json result;
  SRLM_ASSIGN_OR_RETURN(const auto chosen, measuring->Choose(options.prompts, texts, result["asked"]["prompts"]));
  std::vector<data::Prompt> prompts;
  for (size_t i = 0; i < all.size(); ++i)
    if (chosen[i]) prompts.push_back(std::move(all[i]));
  if (!options.rows.empty()) SRLM_RETURN_IF_ERROR(CheckWritable(options.rows));

  measure::FileWorker& worker = measuring->worker();
  SRLM_ASSIGN_OR_RETURN(const auto answers_a, measure::AnswerPrompts(worker, a, prompts, options.sampling));
  SRLM_ASSIGN_OR_RETURN(const auto answers_b, measure::AnswerPrompts(worker, b, prompts, options.sampling));
  const std::vector<measure::AnswerPair> pairs = Pairs(prompts, answers_a, answers_b);
  if (pairs.empty())
    return FailedPrecondition(fmt::format("{}: no prompt has an answer of both models; the first failed with: {}",
                                          options.prompts,
                                          answers_a[0].error.empty() ? answers_b[0].error : answers_a[0].error));
  SRLM_ASSIGN_OR_RETURN(const auto judged, measure::JudgePairs(worker, judge, pairs, options.judging));
  if (!options.rows.empty()) SRLM_RETURN_IF_ERROR(WriteRows(options.rows, pairs, judged));

  for (const auto& [key, model, answers] : {std::tuple{"a", &a, &answers_a}, {"b", &b, &answers_b}}) {
    result["asked"][key] = model->model_id;
    result[key] = Describe(*model);
    result[key]["answers"] = data::DescribeAnswers(*answers, options.sampling.seed);
  }
  result["asked"]["judge"] = judge.model_id;
  result["asked"]["judging"] = measure::ToJson(options.judging);
  result["asked"]["sampling"] = measure::ToJson(options.sampling);
  result["judge"] = Describe(judge);
  result["head_to_head"] = data::ToJson(data::ComputeHeadToHead(judged.compared, options.judging.seed));
  return measuring->Finish("compare", result, AsTable(result));
}

}  // namespace

int Compare(const CompareOptions& options) {
  const Status done = Run(options);
  return done.code() == Code::kCancelled && done.message() == "stopped" ? Fail(done) : Finish(done);
}

}  // namespace srlm::cli
