#include "tests/worker/roles/replica_fixture.h"

#include <unistd.h>

#include <filesystem>

#include "worker/engine/engine.h"
#include "worker/roles/convert.h"

namespace srlm::worker {

v1::Item MakeItem(const std::string& id, const v1::ModelRef& model, int prompt_tokens) {
  v1::Item item;
  item.set_item_id(id);
  item.set_model_id(model.model_id());
  item.set_subject_hash("hash of " + id);
  for (int i = 0; i < prompt_tokens; ++i) item.add_prompt_token_ids((i * 37 + static_cast<int>(id.size())) % 320);
  return item;
}

v1::Item SampleItem(const std::string& id, const v1::ModelRef& model, int samples, int tokens) {
  v1::Item item = MakeItem(id, model);
  v1::SampleWork& work = *item.mutable_sample();
  for (int i = 0; i < samples; ++i) work.add_stream_keys(1000 + static_cast<uint64_t>(i));
  work.set_temperature(0.7);
  work.set_top_p(0.9);
  work.set_max_new_tokens(static_cast<uint32_t>(tokens));
  return item;
}

v1::Item ChooseItem(const std::string& id, const v1::ModelRef& model) {
  v1::Item item = MakeItem(id, model);
  for (const int token : {5, 6, 7}) item.mutable_choose()->add_choice_token_ids(token);
  return item;
}

v1::Item ScoreItem(const std::string& id, const v1::ModelRef& model) {
  v1::Item item = MakeItem(id, model);
  for (const int token : {9, 100, 200, 2}) item.mutable_score()->add_response_token_ids(token);
  return item;
}

/// What the engine gives for an item, asked without a coordinator.
v1::ItemResult Expected(const v1::Item& item, const v1::ModelRef& model) {
  auto engine = Engine::Create(model.folder(), {});
  (*engine)->Submit(*ToRequest(item, 0));
  while ((*engine)->HasWork()) EXPECT_TRUE((*engine)->Step().ok());
  return ToResult(item, "", (*engine)->TakeFinished().at(0));
}

std::function<v1::LeaseResponse(Record&)> InTurn(std::vector<v1::LeaseResponse> leases) {
  return [leases](Record& record) {
    const size_t call = record.leases.size() - 1;
    if (call < leases.size()) return leases[call];
    size_t items = 0;
    for (const v1::LeaseResponse& lease : leases) items += static_cast<size_t>(lease.items_size());
    return record.stored.size() < items ? Wait() : LeaveNow();
  };
}

std::map<std::string, v1::ItemResult> ById(const std::vector<v1::ItemResult>& results) {
  std::map<std::string, v1::ItemResult> by_id;
  for (const v1::ItemResult& result : results) {
    EXPECT_TRUE(by_id.emplace(result.item_id(), result).second) << result.item_id() << " came twice";
  }
  return by_id;
}

Replica::Replica() {
  std::string pattern = ::testing::TempDir() + "/srlm-replica-XXXXXX";
  run_ = mkdtemp(pattern.data());
}

Replica::~Replica() {
  std::error_code error;
  std::filesystem::remove_all(run_, error);
}

std::vector<std::string> Replica::SavedFiles() const {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(run_ + "/logs/srlm-worker")) {
    if (entry.path().filename().string().starts_with("unacknowledged-")) files.push_back(entry.path().string());
  }
  return files;
}

}  // namespace srlm::worker
