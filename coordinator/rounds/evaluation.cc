#include "coordinator/rounds/evaluation.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace srlm::rounds {

bool Measures(const config::RunConfig& config) {
  return !config.data.evaluation.empty() || !config.data.evaluation_prompts.empty() || !config.data.held_out.empty();
}

Evaluation::Evaluation(const Context& context, int number)
    : context_(context), model_(fmt::format("M{}", number)), judging_(context, model_), answers_(context, number) {}

Status Evaluation::Begin() {
  if (!context_.inputs.ranked.empty()) SRLM_RETURN_IF_ERROR(judging_.Begin());
  return answers_.Begin();
}

Result<bool> Evaluation::Store(const schedule::Subject& subject, const Finished& finished) {
  return subject.purpose == v1::PURPOSE_EVALUATION ? judging_.Store(subject, finished)
                                                   : answers_.Store(subject, finished);
}

Status Evaluation::SetAside(const schedule::Subject& subject, const std::string& reason) {
  return subject.purpose == v1::PURPOSE_EVALUATION ? judging_.SetAside(subject, reason)
                                                   : answers_.SetAside(subject, reason);
}

Status Evaluation::Finish() {
  nlohmann::json figures = nlohmann::json::object();
  if (!context_.inputs.ranked.empty()) {
    SRLM_ASSIGN_OR_RETURN(figures, judging_.Figures());
  }
  SRLM_ASSIGN_OR_RETURN(const auto of_answers, answers_.Figures());
  for (const auto& [model, more] : of_answers) {
    if (model == model_)
      figures.update(more);
    else
      SRLM_RETURN_IF_ERROR(context_.ledger.SetEvaluation(model, more.dump()));
  }
  SRLM_RETURN_IF_ERROR(context_.ledger.SetEvaluation(model_, figures.dump()));
  return context_.Event("info", context_.round, "evaluated", model_ + ": " + figures.dump());
}

}  // namespace srlm::rounds
