#include "worker/engine/job.h"

#include <fmt/format.h>

#include <algorithm>

namespace srlm::worker {
namespace {

Status CheckTokens(const std::vector<int>& token_ids, const char* what, int vocabulary_size) {
  for (const int token : token_ids) {
    if (token < 0 || token >= vocabulary_size) {
      return InvalidArgument(
          fmt::format("{} token id {} is outside the vocabulary of {}", what, token, vocabulary_size));
    }
  }
  return OkStatus();
}

Status CheckWork(const Request& request, int vocabulary_size) {
  if (const auto* sample = std::get_if<SampleWork>(&request.work)) {
    if (sample->streams.empty() || sample->max_new_tokens < 1) return InvalidArgument("no sample is asked for");
    return OkStatus();
  }
  if (const auto* choose = std::get_if<ChooseWork>(&request.work)) {
    return CheckTokens(choose->choice_token_ids, "choice", vocabulary_size);
  }
  return CheckTokens(std::get<ScoreWork>(request.work).response_token_ids, "response", vocabulary_size);
}

}  // namespace

Job::Job(Request asked) : request(std::move(asked)) {
  Sequence sequence;
  sequence.tokens = request.prompt_token_ids;
  if (const auto* score = std::get_if<ScoreWork>(&request.work);
      score != nullptr && !score->response_token_ids.empty()) {
    const auto& response = score->response_token_ids;
    sequence.tokens.insert(sequence.tokens.end(), response.begin(), response.end() - 1);
  }
  sequences.push_back(std::move(sequence));
}

int Job::Sequences() const {
  if (samples.empty()) {
    const auto* sample = std::get_if<SampleWork>(&request.work);
    return sample == nullptr ? 1 : std::max(1, static_cast<int>(sample->streams.size()));
  }
  return static_cast<int>(std::ranges::count_if(sequences, [](const Sequence& sequence) { return !sequence.done; }));
}

bool Job::Done() const {
  return !status.ok() || std::ranges::all_of(sequences, [](const Sequence& sequence) { return sequence.done; });
}

int Job::MostCached(const Sequence& sequence) const {
  if (std::holds_alternative<ScoreWork>(request.work)) return static_cast<int>(request.prompt_token_ids.size()) - 1;
  return static_cast<int>(sequence.tokens.size()) - 1;
}

Status CheckRequest(const Request& request, int vocabulary_size, int context_tokens) {
  if (request.prompt_token_ids.empty()) return InvalidArgument("the prompt has no token");
  SRLM_RETURN_IF_ERROR(CheckTokens(request.prompt_token_ids, "prompt", vocabulary_size));
  SRLM_RETURN_IF_ERROR(CheckWork(request, vocabulary_size));
  size_t tokens = request.prompt_token_ids.size();
  if (const auto* score = std::get_if<ScoreWork>(&request.work)) {
    tokens += std::max<size_t>(1, score->response_token_ids.size()) - 1;
  }
  if (tokens + 1 > static_cast<size_t>(context_tokens)) {
    return InvalidArgument(fmt::format("{} tokens leave no room in the model's context of {}", tokens, context_tokens));
  }
  return OkStatus();
}

}  // namespace srlm::worker
