#include "coordinator/measure/judging.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace srlm::measure {
namespace {

std::vector<std::string> Flags(const Judging& judging, const std::string& judge_template) {
  std::vector<std::string> flags = {"--verdict", judging.expected ? "expected" : "sampled", "--seed",
                                    std::to_string(judging.seed)};
  if (!judging.expected)
    flags.insert(flags.end(), {"--votes", std::to_string(judging.votes), "--temperature",
                               fmt::format("{}", judging.temperature), "--top-p", fmt::format("{}", judging.top_p),
                               "--max-new-tokens", std::to_string(judging.max_new_tokens)});
  if (!judge_template.empty()) flags.insert(flags.end(), {"--template", judge_template});
  return flags;
}

Status CheckRows(const std::vector<nlohmann::json>& rows, size_t wanted) {
  if (rows.size() == wanted) return OkStatus();
  return InternalError(fmt::format("srlm-worker gave {} rows for {}", rows.size(), wanted));
}

std::optional<double> NumberOf(const nlohmann::json& row, const char* key) {
  return row.contains(key) && row[key].is_number() ? std::optional<double>(row[key].get<double>()) : std::nullopt;
}

data::OrderVerdict OrderOf(const nlohmann::json& order) {
  if (!order["verdict"].is_string()) return {};
  return {data::PairVerdictFromName(order["verdict"].get<std::string>()), NumberOf(order, "prefers_first")};
}

/// The first words of a judge none of whose votes could be read.
std::string FirstWords(const std::vector<nlohmann::json>& rows) {
  constexpr size_t kMost = 5, kCharacters = 160;
  std::string words;
  size_t shown = 0;
  for (const nlohmann::json& row : rows)
    for (const nlohmann::json& vote : row["forward"]["votes"])
      if (shown++ < kMost)
        words += "\n  " + nlohmann::json(vote["text"].get<std::string>().substr(0, kCharacters))
                              .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return words;
}

}  // namespace

Status CheckRanked(const std::vector<data::RankedAnswer>& answers, const std::string& path) {
  std::map<std::string, std::vector<double>> by_prompt;
  for (const data::RankedAnswer& answer : answers) by_prompt[answer.prompt_id].push_back(answer.quality);
  bool several = false;
  for (const auto& [id, qualities] : by_prompt) {
    several |= qualities.size() > 1;
    if (*std::ranges::max_element(qualities) > *std::ranges::min_element(qualities)) return OkStatus();
  }
  if (!several)
    return InvalidArgument(
        fmt::format("{}:{}: each of its {} prompts has one answer; a judge is measured on prompts "
                    "with two or more answers "
                    "that people ranked (rows with the same prompt_id and different quality_score)",
                    path, answers.empty() ? 1 : answers.front().line, by_prompt.size()));
  return InvalidArgument(
      fmt::format("{}:{}: all answers of a prompt have the same quality_score, in each of its {} prompts; a judge is "
                  "measured on answers that people ranked unequal",
                  path, answers.front().line, by_prompt.size()));
}

Result<std::vector<data::JudgedAnswer>> JudgeRanked(FileWorker& worker, const NamedModel& judge,
                                                    const std::vector<data::RankedAnswer>& answers,
                                                    const Judging& judging) {
  std::vector<Json> rows;
  for (size_t i = 0; i < answers.size(); ++i)
    rows.push_back({{"id", std::to_string(i)}, {"prompt", answers[i].prompt}, {"response", answers[i].response}});
  worker.Say(fmt::format("{} judges {} ranked answers", judge.name, answers.size()));
  const std::string& own = judging.judge_template.empty() ? judge.judge_template : judging.judge_template;
  SRLM_ASSIGN_OR_RETURN(const auto judged, worker.Run(judge, "judge", rows, Flags(judging, own)));
  SRLM_RETURN_IF_ERROR(CheckRows(judged, answers.size()));
  std::vector<data::JudgedAnswer> all;
  for (size_t i = 0; i < answers.size(); ++i)
    all.push_back({answers[i].prompt_id, answers[i].quality, NumberOf(judged[i], "score"),
                   data::CountCharacters(answers[i].response)});
  return all;
}

Result<data::Figure> MeasureLikelihood(FileWorker& worker, const NamedModel& model,
                                       const std::vector<data::JudgeItem>& answers, uint64_t seed) {
  std::vector<Json> rows;
  std::vector<std::string> prompts;  // answers to one prompt are one cluster
  for (size_t i = 0; i < answers.size(); ++i) {
    Json row = {{"id", std::to_string(i)},
                {"prompt", Json(data::ToJson(answers[i].prompt))},
                {"response", answers[i].response}};
    if (answers[i].prompt.raw) row["raw"] = true;
    rows.push_back(std::move(row));
    prompts.push_back(data::PlainText(answers[i].prompt));
  }
  worker.Say(fmt::format("{} reads {} held-out answers", model.name, answers.size()));
  SRLM_ASSIGN_OR_RETURN(const auto read, worker.Run(model, "logprobs", rows, {}));
  SRLM_RETURN_IF_ERROR(CheckRows(read, answers.size()));
  std::vector<data::ClusteredValue> values;
  for (size_t i = 0; i < read.size(); ++i)
    if (const auto logprob = NumberOf(read[i], "logprob"))
      values.push_back({prompts[i], *logprob, static_cast<double>(read[i]["token_ids"].size())});
  return data::ClusteredRatio(values, seed);
}

Result<JudgedPairs> JudgePairs(FileWorker& worker, const NamedModel& judge, const std::vector<AnswerPair>& pairs,
                               const Judging& judging) {
  std::vector<Json> rows;
  for (size_t i = 0; i < pairs.size(); ++i)
    rows.push_back({{"id", std::to_string(i)},
                    {"prompt", pairs[i].prompt},
                    {"response_a", pairs[i].x},
                    {"response_b", pairs[i].y}});
  std::vector<std::string> flags = Flags(judging, judging.judge_template);
  flags.push_back("--pairwise");
  worker.Say(fmt::format("{} compares {} pairs of answers in both orders", judge.name, pairs.size()));
  JudgedPairs judged;
  SRLM_ASSIGN_OR_RETURN(judged.rows, worker.Run(judge, "judge", rows, flags));
  SRLM_RETURN_IF_ERROR(CheckRows(judged.rows, pairs.size()));
  bool any = false;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const nlohmann::json& row = judged.rows[i];
    judged.compared.push_back({pairs[i].prompt_id, OrderOf(row["forward"]), OrderOf(row["backward"]),
                               data::CountCharacters(pairs[i].x), data::CountCharacters(pairs[i].y)});
    any |= row["verdict"].is_string();
  }
  if (!any && !pairs.empty())
    return FailedPrecondition(fmt::format(
        "{}: none of {} comparisons has a verdict in both orders; {}{}", judge.name, pairs.size(),
        judging.expected ? "the answers are too long for this judge: " + judged.rows[0].value("error", "")
                         : "the judge does not end with [[A]], [[B]] or [[C]]: use --verdict expected, more "
                           "--judge-tokens, or another --judge. Its first words:",
        judging.expected ? "" : FirstWords(judged.rows)));
  return judged;
}

Json ToJson(const Judging& judging) {
  Json json = {{"verdict", judging.expected ? "expected" : "sampled"}};
  if (!judging.expected)
    json.update({{"votes", judging.votes},
                 {"temperature", judging.temperature},
                 {"top_p", judging.top_p},
                 {"max_new_tokens", judging.max_new_tokens}});
  json["seed"] = judging.seed;
  return json;
}

}  // namespace srlm::measure
