// What an engine is asked, and what it answers.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/random.h"
#include "common/base/status.h"

namespace srlm::worker {

/// Sample continuations of the prompt; sample i draws from streams[i], draw p for its token p.
struct SampleWork {
  std::vector<RandomStream> streams;  // one a sample; at least one
  double temperature = 0.7;           // 0 = greedy
  double top_p = 0.9;                 // in (0, 1]
  int max_new_tokens = 128;
  std::vector<int> stop_token_ids;  // sampled ones end a sample and belong to it; empty = run to max_new_tokens
};

/// Log-probabilities of given tokens right after the prompt.
struct ChooseWork {
  std::vector<int> choice_token_ids;
};

/// Log-probability of every token of a given response after the prompt.
struct ScoreWork {
  std::vector<int> response_token_ids;
};

struct Request {
  uint64_t id = 0;                    // the caller's; comes back with the response
  std::vector<int> prompt_token_ids;  // at least one
  std::variant<SampleWork, ChooseWork, ScoreWork> work;
};

enum class FinishReason { kStop, kLength };

struct Sample {
  std::vector<int> token_ids;         // with the stop token, if that ended it
  std::vector<float> token_logprobs;  // at temperature 1, before top-p
  double logprob = 0;                 // their sum, in float64
  FinishReason finish_reason = FinishReason::kLength;
};

struct Response {
  uint64_t id = 0;
  Status status;                        // not ok: the item cannot be done (too long for the context or the cache)
  std::vector<Sample> samples;          // of SampleWork, in the order of its streams
  std::vector<double> choice_logprobs;  // of ChooseWork, natural logarithm over the whole vocabulary
  std::vector<double> token_logprobs;   // of ScoreWork, one a response token
  std::string prompt_hash;              // Sha256Tokens of the prompt, as it was computed on
};

}  // namespace srlm::worker
