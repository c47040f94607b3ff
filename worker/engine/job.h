// A request that is being worked on, and the sequences that it takes.
#pragma once

#include <cstddef>
#include <vector>

#include "worker/engine/cache_manager.h"
#include "worker/engine/request.h"

namespace srlm::worker {

/// Tokens of which `computed` have keys and values in the cache. The next rows of a step are those that follow; once
/// all are computed, the logits after the last one give the next token, which is appended.
struct Sequence {
  std::vector<int> tokens;  // the prompt and what was sampled; for ScoreWork all of the response but its end
  int computed = 0;
  PageTable table;
  bool started = false;  // has pages; a sequence that had to give them up starts again, with the same result
  bool done = false;

  int Rest() const { return static_cast<int>(tokens.size()) - computed; }
};

struct Job {
  Request request;
  std::vector<Sequence> sequences;  // one that computes the prompt; of SampleWork from then on one a sample
  std::vector<Sample> samples;      // of SampleWork, once the prompt is computed
  std::vector<double> values;       // of ChooseWork and ScoreWork
  Status status;                    // not ok: the request cannot be done

  explicit Job(Request asked);

  /// Sequences that it will have at once, at least 1; those that are done no longer count.
  int Sequences() const;
  /// Whether nothing is left to do.
  bool Done() const;
  /// Whether the sequence takes one token a step.
  bool Decodes(const Sequence& sequence) const {
    return !samples.empty() && sequence.started && !sequence.done && sequence.Rest() == 1;
  }
  /// Tokens of a sequence that may come out of the cache: the last one is always computed, its logits are wanted. Of
  /// a scored response, all are.
  int MostCached(const Sequence& sequence) const;
};

/// InvalidArgument where a request asks for nothing, names tokens outside the vocabulary, or is too long for the
/// model's context.
Status CheckRequest(const Request& request, int vocabulary_size, int context_tokens);

}  // namespace srlm::worker
