// What items of every purpose are put together from.
#pragma once

#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/text/chat.h"
#include "common/text/choices.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

// The waves of new prompts wait on one another, so they go first; a measurement may stop the run, so it is early;
// votes finish what was begun.
enum Priority { kNewPrompt, kEvaluation, kVote, kCandidate, kLikelihood, kMetaVote };

// Decoding of one kind of text.
struct Decoding {
  double temperature;
  double top_p;
  int max_new_tokens;
};

/// One sample a stream.
void SetSample(v1::Item& item, const Decoding& decoding, const text::Chat& chat,
               const std::vector<RandomStream>& streams);
void SetPrompt(v1::Item& item, const std::vector<int>& token_ids);

/// A question, answered by texts drawn from `streams` or, where there are choices, by the probabilities of these.
Status SetQuestion(const std::string& question, const text::Chat& chat, const Decoding& decoding,
                   const std::vector<RandomStream>& streams, const text::Choices* choices, v1::Item& item);

/// The first `count` children of a stream.
std::vector<RandomStream> Children(const RandomStream& stream, int count);

/// What waits in the queue: id, purpose and model.
schedule::WorkItem Stub(Priority priority, const KnownModel& model, const std::string& id, schedule::Subject subject);

}  // namespace srlm::rounds
