// Items of a model's evaluation beside its judging: answers, their comparison, held-out answers.
#pragma once

#include <string>

#include "coordinator/rounds/context.h"

namespace srlm::rounds {

// As in items.h: a Stub waits in the queue, a Complete function makes the rest once it is leased, and fails with
// InvalidArgument when a text is refused.

/// The prompts that a model answers to be measured or, one that a job saved on its way, to be chosen.
const std::vector<data::Prompt>& PromptsFor(const Context& context, const std::string& model);

/// `model`'s answer to prompt `prompt` of these.
schedule::WorkItem EvaluationAnswerStub(const Context& context, const std::string& model, int prompt);
/// Which answer to a prompt is better, `model`'s or `other`'s; `backward`: the other's stands first.
schedule::WorkItem ComparisonStub(const Context& context, const std::string& model, const std::string& other,
                                  int prompt, bool backward);
/// The log-probability of held-out answer `answer`.
schedule::WorkItem HeldOutStub(const Context& context, const std::string& model, int answer);

Status CompleteEvaluationAnswer(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteComparison(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteHeldOut(const Context& context, const schedule::Subject& subject, v1::Item& item);

/// What a comparison's rows carry of the answers that were compared.
std::string ComparedHash(const std::string& first_hash, const std::string& second_hash);

}  // namespace srlm::rounds
