#include "worker/roles/convert.h"

#include <fmt/format.h>

namespace srlm::worker {
namespace {

Result<SampleWork> ToSampleWork(const v1::Item& item) {
  const v1::SampleWork& from = item.sample();
  if (from.stream_keys().empty() || from.max_new_tokens() == 0) {
    return InvalidArgument(fmt::format("item {} asks for no sample", item.item_id()));
  }
  SampleWork work;
  for (const uint64_t key : from.stream_keys()) work.streams.push_back(RandomStream::FromKey(key));
  work.temperature = from.temperature();
  work.top_p = from.top_p();
  work.max_new_tokens = static_cast<int>(from.max_new_tokens());
  work.stop_token_ids.assign(from.stop_token_ids().begin(), from.stop_token_ids().end());
  return work;
}

}  // namespace

Result<Request> ToRequest(const v1::Item& item, uint64_t id) {
  Request request;
  request.id = id;
  request.prompt_token_ids.assign(item.prompt_token_ids().begin(), item.prompt_token_ids().end());
  switch (item.work_case()) {
    case v1::Item::kSample: {
      SRLM_ASSIGN_OR_RETURN(request.work, ToSampleWork(item));
      return request;
    }
    case v1::Item::kChoose: {
      const auto& ids = item.choose().choice_token_ids();
      if (ids.empty()) return InvalidArgument(fmt::format("item {} asks for no choice", item.item_id()));
      request.work = ChooseWork{{ids.begin(), ids.end()}};
      return request;
    }
    case v1::Item::kScore: {
      const auto& ids = item.score().response_token_ids();
      request.work = ScoreWork{{ids.begin(), ids.end()}};
      return request;
    }
    case v1::Item::WORK_NOT_SET: break;
  }
  return InvalidArgument(fmt::format("item {} says no work that this version knows", item.item_id()));
}

v1::ItemResult ToResult(const v1::Item& item, const std::string& lease_id, const Response& response) {
  v1::ItemResult result;
  result.set_item_id(item.item_id());
  result.set_model_id(item.model_id());
  result.set_lease_id(lease_id);
  result.set_subject_hash(item.subject_hash());
  if (!response.status.ok()) {
    result.set_error(response.status.message());
    return result;
  }
  result.set_prompt_hash(response.prompt_hash);
  for (const Sample& sample : response.samples) {
    v1::SampleOutput* output = result.add_samples();
    output->mutable_token_ids()->Add(sample.token_ids.begin(), sample.token_ids.end());
    output->set_finish_reason(sample.finish_reason == FinishReason::kStop ? v1::FINISH_REASON_STOP
                                                                          : v1::FINISH_REASON_LENGTH);
    output->set_logprob(sample.logprob);
  }
  result.mutable_choice_logprobs()->Add(response.choice_logprobs.begin(), response.choice_logprobs.end());
  result.mutable_token_logprobs()->Add(response.token_logprobs.begin(), response.token_logprobs.end());
  return result;
}

}  // namespace srlm::worker
