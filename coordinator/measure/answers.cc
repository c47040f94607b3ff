#include "coordinator/measure/answers.h"

#include <fmt/format.h>

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

Json ToJson(const Sampling& sampling) {
  return {{"temperature", sampling.temperature},
          {"top_p", sampling.top_p},
          {"max_new_tokens", sampling.max_new_tokens},
          {"seed", sampling.seed}};
}

}  // namespace srlm::measure
