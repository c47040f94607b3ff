#include "tests/coordinator/rounds/fake_worker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "common/base/hash.h"
#include "common/base/random.h"
#include "common/rpc/channel.h"

namespace srlm::rounds {

FakeWorker::FakeWorker(const std::string& run_dir, const std::string& launch_id, uint64_t order,
                       const std::string& arithmetic)
    : order_(order) {
  judgement = [](uint64_t key) { return fmt::format("Fine.\nScore: {}", key % 6); };
  comparison = [](uint64_t key) { return fmt::format("Well.\nVerdict: [[{}]]", "AABBC"[key % 5]); };
  tokenizer_ = *text::Tokenizer::Load(std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/smollm2");
  const auto address = rpc::ReadRunAddress(run_dir);
  if (!address.ok()) return;  // the run has ended; Work sees it
  address_ = *address;
  stub_ = v1::WorkService::NewStub(*rpc::MakeRunChannel(run_dir, address_, rpc::Right::kWork));
  v1::RegisterRequest request;
  request.set_run_id(address_.run_id);
  request.set_epoch(address_.epoch);
  request.set_launch_id(launch_id);
  request.set_arithmetic(arithmetic);
  const auto joined = rpc::Call(*stub_, &v1::WorkService::Stub::Register, request, 10, "Register");
  if (joined.ok()) worker_id_ = joined->worker_id();
}

int FakeWorker::Lead(const v1::Item& item) const {
  const std::vector<int> ids(item.prompt_token_ids().begin(), item.prompt_token_ids().end());
  const std::string question = *tokenizer_->Decode(ids, true), mark = "Quality ";
  const size_t first = question.find(mark), second = question.find(mark, first + 1);
  return std::atoi(question.c_str() + first + mark.size()) - std::atoi(question.c_str() + second + mark.size());
}

std::string FakeWorker::TextFor(const v1::Item& item, uint64_t key) const {
  const v1::Purpose purpose = item.purpose();
  if (quality && purpose == v1::PURPOSE_EVALUATION_ANSWER)
    return fmt::format("Quality {}.", quality(models_.at(item.model_id())));
  if (quality && purpose == v1::PURPOSE_COMPARISON)
    return fmt::format("Verdict: [[{}]]", Lead(item) > 0 ? "A" : Lead(item) < 0 ? "B" : "C");
  if (purpose == v1::PURPOSE_VOTE || purpose == v1::PURPOSE_EVALUATION) return judgement(key);
  if (purpose == v1::PURPOSE_META_VOTE || purpose == v1::PURPOSE_COMPARISON) return comparison(key);
  if (purpose == v1::PURPOSE_CANDIDATE || purpose == v1::PURPOSE_ANCHOR || purpose == v1::PURPOSE_EVALUATION_ANSWER)
    return fmt::format("Answer number {}.", key % 1000);
  // Every fourth new prompt is too short to be taken.
  if (key % 4 == 0) return "No.\n\n";
  return fmt::format("Explain {0} and {1} to {2}.\n\n", key % 9973, key / 9973 % 9973, key / 99460729 % 9973);
}

v1::ItemResult FakeWorker::Answer(const v1::Item& item, const std::string& lease_id) {
  v1::ItemResult result;
  result.set_item_id(item.item_id());
  result.set_model_id(item.model_id());
  result.set_lease_id(lease_id);
  result.set_subject_hash(item.subject_hash());
  const std::vector<int> prompt(item.prompt_token_ids().begin(), item.prompt_token_ids().end());
  result.set_prompt_hash(Sha256Tokens(prompt));
  if (refuses && refuses(item.item_id())) {
    result.set_error("it cannot be done");
    return result;
  }
  for (const uint64_t key : item.sample().stream_keys()) {
    v1::SampleOutput& output = *result.add_samples();
    const std::vector<int> ids = *tokenizer_->Encode(TextFor(item, key), text::SpecialTokensInText::kText);
    output.mutable_token_ids()->Assign(ids.begin(), ids.end());
    const bool cut = cuts && item.purpose() == v1::PURPOSE_CANDIDATE && cuts(key);
    output.set_finish_reason(cut ? v1::FINISH_REASON_LENGTH : v1::FINISH_REASON_STOP);
    output.set_logprob(-1.0);
  }
  for (int i = 0; i < item.choose().choice_token_ids_size(); ++i) result.add_choice_logprobs(std::log(i + 1.0));
  if (quality && item.has_choose() && item.purpose() == v1::PURPOSE_COMPARISON)
    result.set_choice_logprobs(0, std::log(2.0) + Lead(item));
  for (int i = 0; i < item.score().response_token_ids_size(); ++i) {
    // Not in the order of what it says while sampling, and of the answer alone.
    result.add_token_logprobs(-1.0 - 0.001 * static_cast<double>(StreamId(item.subject_hash()) % 1000));
  }
  return result;
}

v1::LeaseResponse FakeWorker::Lease(uint32_t items) {
  v1::LeaseRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(worker_id_);
  request.set_max_items(items);
  const auto lease = rpc::Call(*stub_, &v1::WorkService::Stub::Lease, request, 10, "Lease");
  EXPECT_TRUE(lease.ok() || lease.status().code() == Code::kUnavailable) << lease.status().message();
  v1::LeaseResponse leave;
  leave.set_directive(v1::DIRECTIVE_LEAVE);
  if (!lease.ok()) return leave;
  for (const v1::ModelRef& model : lease->models())
    models_[model.model_id()] = std::filesystem::path(model.folder()).filename().string();
  return *lease;
}

Result<v1::SubmitResponse> FakeWorker::Submit(const std::vector<v1::ItemResult>& results) {
  v1::SubmitRequest request;
  request.set_epoch(address_.epoch);
  request.set_worker_id(worker_id_);
  for (const v1::ItemResult& result : results) *request.add_results() = result;
  return rpc::Call(*stub_, &v1::WorkService::Stub::Submit, request, 10, "Submit");
}

bool FakeWorker::Work(const std::atomic<bool>& stop) {
  if (worker_id_.empty()) return true;
  while (!stop) {
    const v1::LeaseResponse lease = Lease(1 + static_cast<uint32_t>(order_() % 5));
    if (lease.directive() == v1::DIRECTIVE_LEAVE) {
      v1::LeaveRequest leave;
      leave.set_epoch(address_.epoch);
      leave.set_worker_id(worker_id_);
      (void)rpc::Call(*stub_, &v1::WorkService::Stub::Leave, leave, 10, "Leave");
      return true;
    }
    std::vector<v1::ItemResult> results;
    for (const v1::Item& item : lease.items()) results.push_back(Answer(item, lease.lease_id()));
    std::ranges::shuffle(results, order_);
    for (const v1::ItemResult& result : results) (void)Submit({result});
  }
  return false;
}

}  // namespace srlm::rounds
