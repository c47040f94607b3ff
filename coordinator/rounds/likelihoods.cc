#include "coordinator/rounds/likelihoods.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

constexpr size_t kLeastWaiting = 4096;  // the queue is filled up when fewer wait
constexpr int64_t kAskAtOnce = 4096;

}  // namespace

std::vector<ledger::Ledger::LikelihoodsWanted> LikelihoodsWanted(const config::RunConfig& config, int round) {
  std::vector<ledger::Ledger::LikelihoodsWanted> wanted;
  const std::string before = fmt::format("M{}", round - 1);
  if (config.pairs.soft_labels == config::SoftLabels::kCream)
    wanted.push_back({round, before, config.generation.samples, std::numeric_limits<int>::max(),
                      config.generation.cut_candidates == config::CutCandidates::kKeep});
  if (config.health.kl_prompts > 0 && (wanted.empty() || before != "M0"))
    wanted.push_back({round, "M0", 1, config.health.kl_prompts, true});
  return wanted;
}

Likelihoods::Likelihoods(const Context& context, int round) : context_(context), round_(round) {
  for (auto& wanted : LikelihoodsWanted(context.config, round)) parts_.push_back({std::move(wanted), {}, false});
}

Status Likelihoods::Begin() {
  begun_ = true;
  for (const Part& part : parts_) {
    SRLM_ASSIGN_OR_RETURN(const int64_t total, context_.ledger.CountLikelihoods(part.wanted, false));
    SRLM_ASSIGN_OR_RETURN(const int64_t missing, context_.ledger.CountLikelihoods(part.wanted, true));
    total_ += total;
    missing_ += missing;
  }
  return OkStatus();
}

Status Likelihoods::Refill() {
  for (Part& part : parts_) {
    if (part.all_asked || context_.queue.waiting() >= kLeastWaiting) continue;
    SRLM_ASSIGN_OR_RETURN(const auto keys, context_.ledger.MissingLikelihoods(part.wanted, part.asked, kAskAtOnce));
    for (const ledger::CandidateKey& key : keys)
      SRLM_RETURN_IF_ERROR(context_.Enqueue(LikelihoodStub(context_, round_, key, part.wanted.model)));
    if (!keys.empty()) part.asked = keys.back();
    part.all_asked = keys.size() < static_cast<size_t>(kAskAtOnce);
  }
  return OkStatus();
}

Result<bool> Likelihoods::Recall(const std::string& item_id) {
  const auto name = ParseAnswerItem(item_id);
  if (!name || name->round != round_ || name->purpose != v1::PURPOSE_LIKELIHOOD) return false;
  const auto part =
      std::ranges::find(parts_, fmt::format("M{}", name->first), [](const Part& p) { return p.wanted.model; });
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context_.ledger.PromptById(round_, name->prompt_id));
  if (part == parts_.end() || !prompt) return false;
  const ledger::CandidateKey before{prompt->position, name->sample - 1, prompt->prompt_id};
  SRLM_ASSIGN_OR_RETURN(const auto keys, context_.ledger.MissingLikelihoods(part->wanted, before, 1));
  if (keys.empty() || keys[0].position != prompt->position || keys[0].sample != name->sample) return false;
  SRLM_RETURN_IF_ERROR(context_.Enqueue(LikelihoodStub(context_, round_, keys[0], part->wanted.model)));
  return true;
}

Result<bool> Likelihoods::Store(const schedule::Subject& subject, const Finished& finished) {
  ledger::LikelihoodRow row{
      .round = round_, .position = subject.position, .sample = subject.index, .model = subject.model};
  row.model_id = finished.result.model_id();
  const auto& values = finished.result.token_logprobs();
  row.logprob = std::accumulate(values.begin(), values.end(), 0.0);
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddLikelihood(row));
  missing_ -= is_new;
  return is_new;
}

Status Likelihoods::SetAside(const schedule::Subject& subject, const std::string& reason) {
  ledger::LikelihoodRow row{
      .round = round_, .position = subject.position, .sample = subject.index, .model = subject.model};
  row.reason = reason;
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddLikelihood(row));
  missing_ -= is_new;
  failed_ += is_new;
  return OkStatus();
}

}  // namespace srlm::rounds
