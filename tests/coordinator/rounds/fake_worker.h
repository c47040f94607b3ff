// A worker without a model: it speaks WorkService and answers every item as a function of its stream keys.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/rpc/run_address.h"
#include "common/text/tokenizer.h"
#include "srlm/v1/work.grpc.pb.h"

namespace srlm::rounds {

class FakeWorker {
 public:
  /// `order` seeds the order in which results are handed in. Registers with the coordinator of `run_dir`; worker_id()
  /// is empty when it is refused.
  FakeWorker(const std::string& run_dir, const std::string& launch_id, uint64_t order,
             const std::string& arithmetic = "fake");

  /// Leases, answers and submits until told to leave or `stop`; whether it was told to leave.
  bool Work(const std::atomic<bool>& stop);

  v1::LeaseResponse Lease(uint32_t items);
  Result<v1::SubmitResponse> Submit(const std::vector<v1::ItemResult>& results);
  v1::ItemResult Answer(const v1::Item& item, const std::string& lease_id);
  const std::string& worker_id() const { return worker_id_; }

  /// What the judge says about stream `key`; may be replaced.
  std::function<std::string(uint64_t key)> judgement;
  /// And about two judgements, or two answers.
  std::function<std::string(uint64_t key)> comparison;
  /// Answers that end at the token limit; may be empty.
  std::function<bool(uint64_t key)> cuts;
  /// Items that cannot be done; may be empty.
  std::function<bool(const std::string& item_id)> refuses;
  /// How good the answers to evaluation prompts are of the model in a folder of this name: the judge prefers the better
  /// one. Null: they are as new prompts, and the second one is preferred.
  std::function<int(const std::string& model)> quality;

 private:
  std::string TextFor(const v1::Item& item, uint64_t key) const;
  /// By how much the answer that stands first in a comparison is the better one.
  int Lead(const v1::Item& item) const;

  rpc::RunAddress address_;
  std::unique_ptr<v1::WorkService::Stub> stub_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string worker_id_;
  std::mt19937_64 order_;
  std::map<std::string, std::string> models_;  // folder names by id
};

}  // namespace srlm::rounds
