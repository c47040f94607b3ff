#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <tuple>

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

/// The rows of --rows: the answers, with the verdicts where there are some (`judged`, a row a pair).
std::string Rows(const std::vector<measure::AnswerPair>& pairs, const std::vector<nlohmann::json>& judged) {
  std::string rows;
  for (size_t i = 0; i < pairs.size(); ++i) {
    Json row = {{"prompt_id", pairs[i].prompt_id},
                {"prompt", pairs[i].prompt},
                {"answer_a", pairs[i].x},
                {"answer_b", pairs[i].y}};
    if (!judged.empty())
      for (const auto& [key, value] : judged[i].items())
        if (key != "id") row[key] = value;
    rows += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return rows;
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
  for (const auto& [title, key, digits] : {std::tuple{"characters", "characters", 0},
                                           {"tokens", "tokens", 0},
                                           {"cut", "cut", 2},
                                           {"distinct-1", "distinct_1", 3},
                                           {"distinct-2", "distinct_2", 3},
                                           {"distinct-3", "distinct_3", 3}})
    answers.AddRow({title, DescribeFigure(result["a"]["answers"][key], digits),
                    DescribeFigure(result["b"]["answers"][key], digits)});
  const size_t width = TerminalWidth(STDOUT_FILENO);
  return fmt::format("A: {}\nB: {}\njudge: {}\n\n{}\n{}", a, b, result["judge"]["model"].get<std::string>(),
                     table.Render(width), answers.Render(width));
}

Status Run(const CompareOptions& options) {
  SRLM_ASSIGN_OR_RETURN(measure::NamedModel a, measure::FindModel(options.a));
  SRLM_ASSIGN_OR_RETURN(measure::NamedModel b, measure::FindModel(options.b));
  SRLM_ASSIGN_OR_RETURN(measure::NamedModel judge, measure::FindModel(options.judge));
  if (!options.more.chat_template.empty()) {
    measure::NamedModel* const all[] = {&a, &b, &judge};
    SRLM_RETURN_IF_ERROR(measure::GiveChatTemplate(options.more.chat_template, all));
  }
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
  for (const auto& [key, model] : {std::pair{"a", &a}, {"b", &b}, {"judge", &judge}}) {
    result["asked"][key] = model->model_id;
    SRLM_ASSIGN_OR_RETURN(result[key], Describe(*model));
  }
  SRLM_ASSIGN_OR_RETURN(result["asked"]["judging"], Describe(options.judging));
  result["asked"]["sampling"] = measure::ToJson(options.sampling);
  SRLM_RETURN_IF_ERROR(
      measuring->Begin("compare", result["asked"], Json::array({result["a"], result["b"], result["judge"]})));
  std::unique_ptr<ResultFile> rows;
  if (!options.rows.empty()) {
    SRLM_ASSIGN_OR_RETURN(rows, ResultFile::Begin(options.rows));
  }

  std::vector<measure::Answer> answers[2];
  for (const auto& [key, model, given] : {std::tuple{"a", &a, &answers[0]}, {"b", &b, &answers[1]}}) {
    SRLM_ASSIGN_OR_RETURN(*given, measure::AnswerPrompts(measuring->worker(), *model, prompts, options.sampling));
    result[key]["answers"] = data::DescribeAnswers(*given, options.sampling.seed);
    SRLM_RETURN_IF_ERROR(measuring->Keep(result));
  }
  const std::vector<measure::AnswerPair> pairs = Pairs(prompts, answers[0], answers[1]);
  if (pairs.empty())
    return FailedPrecondition(fmt::format("{}: no prompt has an answer of both models; the first failed with: {}",
                                          options.prompts,
                                          answers[0][0].error.empty() ? answers[1][0].error : answers[0][0].error));
  if (rows != nullptr) SRLM_RETURN_IF_ERROR(rows->Keep(Rows(pairs, {})));
  SRLM_ASSIGN_OR_RETURN(const auto judged, measure::JudgePairs(measuring->worker(), judge, pairs, options.judging));
  result["head_to_head"] = data::ToJson(data::ComputeHeadToHead(judged.compared, options.judging.seed));
  SRLM_RETURN_IF_ERROR(measuring->Keep(result));
  if (rows != nullptr) SRLM_RETURN_IF_ERROR(rows->Finish(Rows(pairs, judged.rows)));
  return measuring->Finish(result, AsTable(result));
}

}  // namespace

int Compare(const CompareOptions& options) { return Finish(Run(options)); }

}  // namespace srlm::cli
