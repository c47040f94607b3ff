#include "coordinator/rounds/likelihoods.h"

#include <algorithm>
#include <numeric>

#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

constexpr size_t kLeastWaiting = 4096;  // the queue is filled up when fewer wait
constexpr int64_t kAskAtOnce = 4096;

}  // namespace

ledger::Ledger::LikelihoodsWanted LikelihoodsWanted(const config::RunConfig& config, int round) {
  return {round, config.pairs.soft_labels == config::SoftLabels::kCream ? config.generation.samples : 0,
          config.generation.cut_candidates == config::CutCandidates::kKeep};
}

Status Likelihoods::Begin() {
  const auto wanted = LikelihoodsWanted(context_.config, round_);
  begun_ = true;
  all_asked_ = wanted.samples == 0;  // else looking for none takes a look at every candidate
  if (all_asked_) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(total_, context_.ledger.CountLikelihoods(wanted, false));
  SRLM_ASSIGN_OR_RETURN(missing_, context_.ledger.CountLikelihoods(wanted, true));
  return OkStatus();
}

Status Likelihoods::Refill() {
  if (all_asked_ || context_.queue.waiting() >= kLeastWaiting) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(const auto keys, context_.ledger.MissingLikelihoods(LikelihoodsWanted(context_.config, round_),
                                                                            asked_, kAskAtOnce));
  for (const ledger::CandidateKey& key : keys)
    SRLM_RETURN_IF_ERROR(context_.Enqueue(LikelihoodStub(context_, round_, key)));
  if (!keys.empty()) asked_ = keys.back();
  all_asked_ = keys.size() < static_cast<size_t>(kAskAtOnce);
  return OkStatus();
}

Result<bool> Likelihoods::Recall(const std::string& item_id) {
  const auto name = ParseAnswerItem(item_id);
  if (!name || name->round != round_ || name->purpose != v1::PURPOSE_LIKELIHOOD) return false;
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.PromptById(round_, name->prompt_id));
  if (!prompt) return false;
  const ledger::CandidateKey before{prompt->position, name->sample - 1, prompt->prompt_id};
  SRLM_ASSIGN_OR_RETURN(const auto keys,
                        context_.ledger.MissingLikelihoods(LikelihoodsWanted(context_.config, round_), before, 1));
  if (keys.empty() || keys[0].position != prompt->position || keys[0].sample != name->sample) return false;
  SRLM_RETURN_IF_ERROR(context_.Enqueue(LikelihoodStub(context_, round_, keys[0])));
  return true;
}

Result<bool> Likelihoods::Store(const schedule::Subject& subject, const Finished& finished) {
  ledger::LikelihoodRow row{.round = round_, .position = subject.position, .sample = subject.index};
  row.model_id = finished.result.model_id();
  const auto& values = finished.result.token_logprobs();
  row.logprob = std::accumulate(values.begin(), values.end(), 0.0);
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddLikelihood(row));
  missing_ -= is_new;
  return is_new;
}

Status Likelihoods::SetAside(const schedule::Subject& subject, const std::string& reason) {
  ledger::LikelihoodRow row{.round = round_, .position = subject.position, .sample = subject.index};
  row.reason = reason;
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddLikelihood(row));
  missing_ -= is_new;
  failed_ += is_new;
  return OkStatus();
}

}  // namespace srlm::rounds
