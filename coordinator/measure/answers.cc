#include "coordinator/measure/answers.h"

#include <fmt/format.h>

#include "common/data/distinct.h"
#include "common/data/figure.h"
#include "common/data/judge_metrics.h"

namespace srlm::measure {

Result<std::vector<Answer>> AnswerPrompts(FileWorker& worker, const NamedModel& model,
                                          const std::vector<data::Prompt>& prompts, const Sampling& sampling) {
  std::vector<Json> rows;
  for (const data::Prompt& prompt : prompts) rows.push_back(Json(data::ToJson(prompt)));
  worker.Say(fmt::format("{} answers {} prompts", model.name, prompts.size()));
  SRLM_ASSIGN_OR_RETURN(const auto made,
                        worker.Run(model, "generate", rows,
                                   {"--samples", "1", "--temperature", fmt::format("{}", sampling.temperature),
                                    "--top-p", fmt::format("{}", sampling.top_p), "--max-new-tokens",
                                    std::to_string(sampling.max_new_tokens), "--seed", std::to_string(sampling.seed)}));
  if (made.size() != prompts.size())
    return InternalError(fmt::format("srlm-worker gave {} answers to {} prompts", made.size(), prompts.size()));
  std::vector<Answer> answers;
  for (size_t i = 0; i < made.size(); ++i) {
    const nlohmann::json& row = made[i];
    Answer answer{.prompt_id = prompts[i].prompt_id, .text = row.value("text", ""), .error = row.value("error", "")};
    answer.tokens = row.contains("token_ids") ? static_cast<int64_t>(row["token_ids"].size()) : 0;
    answer.cut = row.value("finish_reason", "") == "length";
    answers.push_back(std::move(answer));
  }
  return answers;
}

Json DescribeAnswers(const std::vector<Answer>& answers, uint64_t seed) {
  std::vector<data::ClusteredValue> characters, tokens, cut;
  std::vector<std::string> texts;
  for (const Answer& answer : answers) {
    if (!answer.error.empty()) continue;
    characters.push_back({answer.prompt_id, static_cast<double>(data::CountCharacters(answer.text))});
    tokens.push_back({answer.prompt_id, static_cast<double>(answer.tokens)});
    cut.push_back({answer.prompt_id, answer.cut ? 1.0 : 0.0});
    texts.push_back(answer.text);
  }
  return {{"answers", texts.size()},
          {"failed", answers.size() - texts.size()},
          {"cut", data::ToJson(data::ClusteredRatio(cut, seed))},
          {"characters", data::ToJson(data::ClusteredRatio(characters, seed))},
          {"tokens", data::ToJson(data::ClusteredRatio(tokens, seed))},
          {"distinct_1", data::Distinct(texts, 1)},
          {"distinct_2", data::Distinct(texts, 2)}};
}

Json ToJson(const Sampling& sampling) {
  return {{"temperature", sampling.temperature},
          {"top_p", sampling.top_p},
          {"max_new_tokens", sampling.max_new_tokens},
          {"seed", sampling.seed}};
}

}  // namespace srlm::measure
