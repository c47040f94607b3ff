// Items of work, made from rows: text becomes token ids, and every sample gets its counted random stream.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/base/status.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

// What waits in the queue: an item's id, purpose and model. The rest of it, made by a Complete function, is there once
// the item is leased: a queue of many items stays small, and a coordinator that starts need not tokenise them all.

schedule::WorkItem NewPromptStub(const Context& context, int round, int attempt);
/// All samples of a prompt.
schedule::WorkItem CandidateStub(const Context& context, int round, int position, const std::string& prompt_id);
/// The anchor's answers to a prompt.
schedule::WorkItem AnchorStub(const Context& context, int round, int position, const std::string& prompt_id);
/// All votes on a candidate, or the digits' probabilities for them, as the configuration says. `made_by`: who has it in
/// its cache.
schedule::WorkItem VoteStub(const Context& context, int round, const ledger::CandidateKey& candidate,
                            const std::string& made_by);
/// The log-probability of a candidate under `model` ("M0"), an earlier one than the round's.
schedule::WorkItem LikelihoodStub(const Context& context, int round, const ledger::CandidateKey& candidate,
                                  const std::string& model);
/// The round's model compares two judgements of a candidate, shown in this order.
schedule::WorkItem MetaVoteStub(const Context& context, int round, const ledger::CandidateKey& candidate, int first,
                                int second);
/// The judgement of ranked answer `answer` by `model`'s judge: the expected verdict, or the sampled votes.
schedule::WorkItem EvaluationStub(const Context& context, const std::string& model, int answer, bool expected);

/// Prompt or candidate of an item id as the stubs have it: its round, prompt_id and, of votes, likelihoods and
/// comparisons, sample; of comparisons the votes, too, and of likelihoods the number of their model as `first`.
struct AnswerItemName {
  v1::Purpose purpose = v1::PURPOSE_UNSPECIFIED;
  int round = 0;
  std::string prompt_id;
  int sample = -1;
  int first = -1;
  int second = -1;
};
/// None for other items.
std::optional<AnswerItemName> ParseAnswerItem(const std::string& item_id);

// Each fails with InvalidArgument when tokenizer or template refuse a text: the item cannot be done.

/// `instructions`: the examples that are shown.
Status CompleteNewPrompt(const Context& context, const std::vector<std::string>& instructions,
                         const schedule::Subject& subject, v1::Item& item);
Status CompleteCandidate(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteAnchor(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteVote(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteLikelihood(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteMetaVote(const Context& context, const schedule::Subject& subject, v1::Item& item);
Status CompleteEvaluation(const Context& context, const schedule::Subject& subject, v1::Item& item);

/// What a comparison's subject_hash must be: judgements have no hash of their own in the ledger.
std::string ComparedHash(const ledger::VoteRow& first, const ledger::VoteRow& second);

/// Expected score over the digits' log-probabilities, these normalised to 1.
double ExpectedScore(const v1::ItemResult& result);

/// The votes' streams are the children of this one.
RandomStream VoteStream(const config::RunConfig& config, int round, const std::string& prompt_id, int sample);

/// The stream that draws the examples and the text of an attempt.
RandomStream AttemptStream(const config::RunConfig& config, int round, int attempt);

}  // namespace srlm::rounds
