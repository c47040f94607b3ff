#include "coordinator/plan/phases.h"

#include <algorithm>
#include <cmath>

#include "common/model/cost.h"

namespace srlm::plan {
namespace {

constexpr double kBackward = 2;  // forward passes that a backward pass costs

/// What an example in a request for a new prompt adds around its text.
constexpr double kDemonstrationTokens = 4;
/// The question around two answers, beside the judge's of one.
constexpr double kComparisonTokens = 64;

/// Judgements of so many answers, `a_prompt` of them to one prompt, which with the question's beginning is computed
/// once.
Serving Judged(const std::string& what, double answers, double a_prompt, bool sampled, int votes,
               const Lengths& lengths) {
  Serving serving;
  serving.what = what;
  serving.requests = answers;
  serving.read_tokens = lengths.judge_tokens.value + lengths.prompt_tokens.value + lengths.answer_tokens.value;
  serving.cached_tokens = std::min(lengths.judge_shared.value, lengths.judge_tokens.value) +
                          lengths.prompt_tokens.value * (1 - 1 / a_prompt);
  serving.samples = sampled ? votes : 0;
  serving.written_tokens = lengths.verdict_tokens.value;
  return serving;
}

Training TrainingOf(const config::OptimiserConfig& config, double rows, double tokens, double targets, double context) {
  Training training;
  training.rows = rows;
  training.tokens = tokens;
  training.target_tokens = targets;
  training.context = context;
  training.epochs = config.epochs;
  training.recompute = config.activation_checkpointing == config::ActivationCheckpointing::kBlock;
  training.micro_batch_tokens = config.micro_batch_tokens;
  training.global_batch = config.global_batch;
  training.steps = std::ceil(config.epochs * std::ceil(rows / config.global_batch));
  return training;
}

Serving NewPrompts(const config::RunConfig& config, const Lengths& lengths) {
  const config::PromptsConfig& prompts = config.prompts;
  Serving serving;
  serving.what = "new prompts";
  serving.requests = prompts.new_per_round;
  serving.read_tokens = (prompts.demonstrations_seed + prompts.demonstrations_generated) *
                        (lengths.prompt_tokens.value + kDemonstrationTokens);
  serving.samples = 1;
  serving.written_tokens = std::min(lengths.prompt_tokens.value, static_cast<double>(prompts.max_new_tokens));
  return serving;
}

Phase GenerateAndJudge(const config::RunConfig& config, const Lengths& lengths) {
  Phase phase{"generate_and_judge", {}, {}};
  Serving answers;
  answers.what = "answers";
  answers.requests = config.prompts.per_round;
  answers.read_tokens = lengths.prompt_tokens.value;
  answers.cached_tokens = std::min(lengths.prompt_shared.value, lengths.prompt_tokens.value);
  answers.samples =
      config.generation.samples + (config.pairs.rule == config::PairRule::kAnchored ? config.pairs.anchor_samples : 0);
  answers.written_tokens = lengths.answer_tokens.value;
  phase.serving.push_back(answers);
  if (config.judge.verdict != config::JudgeVerdict::kProgram) {
    const bool sampled = config.judge.verdict == config::JudgeVerdict::kSampled;
    phase.serving.push_back(
        Judged("judgements", answers.sequences(), answers.samples, sampled, config.judge.votes, lengths));
  }
  return phase;
}

Phase Dpo(const config::RunConfig& config, const Lengths& lengths) {
  const double pairs = config.prompts.per_round * lengths.pairs_a_prompt.value;
  const double prompt = lengths.prompt_tokens.value, answer = lengths.answer_tokens.value;
  Training training = TrainingOf(config.dpo, pairs, prompt + 2 * answer, 2 * answer, (prompt + answer) / 2);
  // The first step's own forward is its reference.
  const double first = std::min(pairs, static_cast<double>(config.dpo.global_batch));
  training.reference_rows = config::ReferenceOf(config) == config::Reference::kTrainer ? pairs - first : 0;
  return {"dpo", {}, {training}};
}

Phase Evaluate(const config::RunConfig& config, const Lengths& lengths) {
  Phase phase{"evaluate", {}, {}};
  const config::EvaluationConfig& evaluation = config.evaluation;
  if (lengths.ranked_answers.value > 0) {
    phase.serving.push_back(Judged("ranked answers", lengths.ranked_answers.value, 1,
                                   evaluation.verdict == config::VerdictKind::kSampled, evaluation.sampled_votes,
                                   lengths));
    if (evaluation.verdict != config::VerdictKind::kSampled && evaluation.sampled_votes > 0) {
      phase.serving.back().samples = evaluation.sampled_votes;  // beside the expected verdict
    }
  }
  if (lengths.evaluation_prompts.value > 0) {
    Serving answers;
    answers.what = "own answers";
    answers.requests = lengths.evaluation_prompts.value;
    answers.read_tokens = lengths.prompt_tokens.value;
    answers.samples = 1;
    answers.written_tokens = std::min(lengths.answer_tokens.value, static_cast<double>(evaluation.max_new_tokens));
    phase.serving.push_back(answers);
    Serving compared =
        Judged("comparisons, both orders", 2 * answers.requests, 1,
               evaluation.comparison == config::VerdictKind::kSampled, evaluation.comparison_votes, lengths);
    compared.read_tokens += answers.written_tokens + kComparisonTokens;
    phase.serving.push_back(compared);
  }
  return phase;
}

}  // namespace

Phase PhaseOfSft(const config::RunConfig& config, const Lengths& lengths) {
  const double tokens = lengths.sft_tokens.value;
  const double targets = std::min(tokens, lengths.answer_tokens.value);
  return {"sft", {}, {TrainingOf(config.sft, lengths.sft_rows.value, tokens, targets, tokens / 2)}};
}

std::vector<Phase> PhasesOfRound(const config::RunConfig& config, const Lengths& lengths) {
  std::vector<Phase> phases;
  if (config.prompts.new_per_round > 0) phases.push_back({"prompts", {NewPrompts(config, lengths)}, {}});
  phases.push_back(GenerateAndJudge(config, lengths));
  phases.push_back(Dpo(config, lengths));
  Phase evaluate = Evaluate(config, lengths);
  if (!evaluate.serving.empty()) phases.push_back(std::move(evaluate));
  return phases;
}

double ReadFlops(const Serving& serving, const model::ModelConfig& model) {
  return serving.prefilled() * model::BlockFlops(model, serving.read_tokens / 2) +
         serving.requests * model::HeadFlops(model);
}

double FlopsOf(const Serving& serving, const model::ModelConfig& model) {
  const double written =
      serving.decoded() *
      (model::BlockFlops(model, serving.read_tokens + serving.written_tokens / 2) + model::HeadFlops(model));
  return ReadFlops(serving, model) + written;
}

double FlopsOf(const Training& training, const model::ModelConfig& model) {
  const double blocks = training.tokens * model::BlockFlops(model, training.context);
  const double head = training.target_tokens * model::HeadFlops(model);
  const double passes = 1 + kBackward;
  const double step_flops = passes * (blocks + head) + (training.recompute ? blocks : 0);
  return training.rows * training.epochs * step_flops + training.reference_rows * (blocks + head);
}

double FlopsOf(const Phase& phase, const model::ModelConfig& model) {
  double flops = 0;
  for (const Serving& serving : phase.serving) flops += FlopsOf(serving, model);
  for (const Training& training : phase.training) flops += FlopsOf(training, model);
  return flops;
}

double TokensOf(const Phase& phase) {
  double tokens = 0;
  for (const Serving& serving : phase.serving) tokens += serving.prefilled() + serving.decoded();
  for (const Training& training : phase.training) {
    tokens += (training.rows * training.epochs + training.reference_rows) * training.tokens;
  }
  return tokens;
}

}  // namespace srlm::plan
