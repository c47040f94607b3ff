// What items of every purpose are put together from.
#pragma once

#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/text/chat.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

// The waves of new prompts wait on one another, so they go first; a measurement may stop the run, so it is early;
// votes finish what was begun.
enum Priority { kNewPrompt, kEvaluation, kVote, kCandidate, kLikelihood };

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

/// The first `count` children of a stream.
std::vector<RandomStream> Children(const RandomStream& stream, int count);

/// What waits in the queue: id, purpose and model.
schedule::WorkItem Stub(Priority priority, const KnownModel& model, const std::string& id, schedule::Subject subject);

}  // namespace srlm::rounds
