// srlm-worker --run against a scripted coordinator: whatever happens on the way, no result is lost or made twice,
// and the process ends.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/base/file.h"
#include "common/rpc/run_address.h"
#include "tests/worker/roles/scripted_coordinator.h"
#include "tests/worker/roles/worker_process.h"
#include "worker/engine/engine.h"
#include "worker/roles/convert.h"

namespace srlm::worker {
namespace {

using Record = ScriptedCoordinator::Record;

v1::Item MakeItem(const std::string& id, const v1::ModelRef& model, int prompt_tokens = 12) {
  v1::Item item;
  item.set_item_id(id);
  item.set_model_id(model.model_id());
  item.set_subject_hash("hash of " + id);
  for (int i = 0; i < prompt_tokens; ++i) item.add_prompt_token_ids((i * 37 + static_cast<int>(id.size())) % 320);
  return item;
}

v1::Item SampleItem(const std::string& id, const v1::ModelRef& model, int samples = 3, int tokens = 20) {
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

class Replica : public ::testing::Test {
 protected:
  Replica() {
    std::string pattern = ::testing::TempDir() + "/srlm-replica-XXXXXX";
    run_ = mkdtemp(pattern.data());
  }
  ~Replica() override {
    std::error_code error;
    std::filesystem::remove_all(run_, error);
  }

  /// Leases one after the other; then WAIT until all their items are stored, then LEAVE.
  static std::function<v1::LeaseResponse(Record&)> InTurn(std::vector<v1::LeaseResponse> leases) {
    return [leases](Record& record) {
      const size_t call = record.leases.size() - 1;
      if (call < leases.size()) return leases[call];
      size_t items = 0;
      for (const v1::LeaseResponse& lease : leases) items += static_cast<size_t>(lease.items_size());
      return record.stored.size() < items ? Wait() : LeaveNow();
    };
  }

  static std::map<std::string, v1::ItemResult> ById(const std::vector<v1::ItemResult>& results) {
    std::map<std::string, v1::ItemResult> by_id;
    for (const v1::ItemResult& result : results) {
      EXPECT_TRUE(by_id.emplace(result.item_id(), result).second) << result.item_id() << " came twice";
    }
    return by_id;
  }

  /// The lines that the worker saved when it found no coordinator.
  std::string SavedResults() const {
    for (const auto& entry : std::filesystem::directory_iterator(run_ + "/logs/srlm-worker")) {
      if (entry.path().filename().string().starts_with("unacknowledged-")) return *ReadFile(entry.path());
    }
    return "";
  }

  std::string run_;
  const v1::ModelRef llama_ = TinyModel("llama3");
  const v1::ModelRef mistral_ = TinyModel("mistral");
};

TEST_F(Replica, EveryKindOfItemComesBackOnceWithWhatTheEngineGives) {
  const std::vector<v1::Item> items = {SampleItem("sample", llama_), ChooseItem("choose", llama_),
                                       ScoreItem("score", llama_), SampleItem("single", llama_, 1)};
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("lease-1", items, {llama_})})});
  WorkerProcess worker(run_, {"--launch-id", "launch-7"});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();

  const Record record = coordinator.record();
  EXPECT_EQ(record.registers.at(0).launch_id(), "launch-7");
  EXPECT_EQ(record.registers.at(0).run_id(), "test");
  EXPECT_EQ(record.leaves.at(0).worker_id(), "worker-1");
  const auto results = ById(record.stored);
  ASSERT_EQ(results.size(), items.size());
  for (const v1::Item& item : items) {
    v1::ItemResult result = results.at(item.item_id());
    EXPECT_GT(result.seconds(), 0);
    result.set_seconds(0);
    v1::ItemResult expected = Expected(item, llama_);
    expected.set_lease_id("lease-1");
    EXPECT_EQ(expected.subject_hash(), "hash of " + item.item_id());
    EXPECT_EQ(result.DebugString(), expected.DebugString());
  }
  EXPECT_TRUE(std::filesystem::exists(run_ + "/logs/srlm-worker/launch-7/0.log"));
}

TEST_F(Replica, ALostAcknowledgementIsAskedForAgain) {
  const auto lose_first = [](Record& record) {
    return record.submits.empty() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "try again") : grpc::Status::OK;
  };
  ScriptedCoordinator coordinator(
      run_, {.lease = InTurn({Lease("1", {SampleItem("a", llama_), ChooseItem("b", llama_)}, {llama_})}),
             .submit = lose_first});
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  const Record record = coordinator.record();
  EXPECT_EQ(ById(record.stored).size(), 2u);
  ASSERT_GE(record.submits.size(), 2u);
  EXPECT_EQ(record.submits[0].results(0).DebugString(), record.submits[1].results(0).DebugString());
}

TEST_F(Replica, ChangesModelForItemsOfAnotherOneAndBack) {
  const std::vector<v1::Item> mixed = {ScoreItem("l1", llama_), ScoreItem("m1", mistral_), ScoreItem("l2", llama_)};
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("1", mixed, {llama_, mistral_}), Wait(),
                                                          Lease("2", {ScoreItem("l3", llama_)}, {llama_})})});
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  const auto results = ById(coordinator.record().stored);
  ASSERT_EQ(results.size(), 4u);
  for (const auto& [id, result] : results) {
    const v1::ModelRef& model = id[0] == 'l' ? llama_ : mistral_;
    const auto expected = Expected(ScoreItem(id, model), model);
    EXPECT_EQ(result.model_id(), model.model_id());
    EXPECT_TRUE(std::ranges::equal(result.token_logprobs(), expected.token_logprobs())) << id;
  }
}

TEST_F(Replica, DropsTheModelWhileOthersNeedTheCoresAndComesBack) {
  // 1. work, 2. wait and release until the model is gone, 3. work again, 4. leave.
  const auto lease = [this](Record& record) {
    const v1::LeaseRequest& request = record.leases.back();
    if (record.leases.size() == 1) return Lease("1", {ScoreItem("a", llama_)}, {llama_});
    if (record.stored.empty()) return Wait();
    if (record.stored.size() == 1 && !request.loaded_model_id().empty()) return Wait(true);
    if (record.stored.size() == 1) return Lease("2", {ScoreItem("b", llama_)}, {llama_});
    return LeaveNow();
  };
  ScriptedCoordinator coordinator(run_, {.lease = lease});
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  const Record record = coordinator.record();
  EXPECT_EQ(ById(record.stored).size(), 2u);
  EXPECT_EQ(record.leaves.at(0).reason(), "told to leave");
  uint64_t prefilled = 0;
  for (const v1::LeaseRequest& request : record.leases) {
    EXPECT_GE(request.stats().prefilled_tokens(), prefilled) << "counts go back when the model is dropped";
    prefilled = request.stats().prefilled_tokens();
  }
}

TEST_F(Replica, AnotherModelInTheFolderEndsTheWorkerWithItsReason) {
  v1::ModelRef other = llama_;
  other.set_model_id("0123456789abcdef");
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("1", {ScoreItem("a", other)}, {other})})});
  WorkerProcess worker(run_, {});
  EXPECT_EQ(worker.Wait(), 1);
  EXPECT_NE(worker.Stderr().find("the run means 0123456789abcdef"), std::string::npos) << worker.Stderr();
  EXPECT_NE(worker.Stderr().find(llama_.model_id()), std::string::npos) << worker.Stderr();
  const Record record = coordinator.record();
  EXPECT_TRUE(record.stored.empty());
  EXPECT_EQ(record.leaves.size(), 1u) << "its leases should go back at once";
}

TEST_F(Replica, AnItemThatCannotBeDoneComesBackWithItsReason) {
  v1::Item empty = MakeItem("no work", llama_);
  v1::Item no_prompt = ScoreItem("no prompt", llama_);
  no_prompt.clear_prompt_token_ids();
  v1::Item outside = ScoreItem("outside", llama_);
  outside.add_prompt_token_ids(320);
  v1::Item negative = ScoreItem("negative", llama_);
  negative.add_prompt_token_ids(-1);
  v1::Item no_sample = SampleItem("no sample", llama_, 0);
  v1::Item too_long = ScoreItem("too long", llama_);
  for (int i = 0; i < 1100; ++i) too_long.add_prompt_token_ids(5);
  const std::vector<v1::Item> bad = {empty, no_prompt, outside, negative, no_sample, too_long};
  std::vector<v1::Item> items = bad;
  items.push_back(ScoreItem("good", llama_));
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("1", items, {llama_})})});
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  auto results = ById(coordinator.record().stored);
  ASSERT_EQ(results.size(), items.size());
  for (const v1::Item& item : bad) EXPECT_NE(results[item.item_id()].error(), "") << item.item_id();
  EXPECT_EQ(results["good"].error(), "");
}

TEST_F(Replica, WithoutACoordinatorItGivesUp) {
  std::string address;
  {
    ScriptedCoordinator gone(run_, {});
    address = rpc::ReadRunAddress(run_)->address;
  }
  WorkerProcess worker(run_, {"--start-timeout-s", "0.5"});
  EXPECT_EQ(worker.Wait(), 1);
  EXPECT_NE(worker.Stderr().find(address), std::string::npos) << worker.Stderr();
  EXPECT_LE(std::ranges::count(worker.Stderr(), '\n'), 3) << worker.Stderr();

  std::filesystem::remove(run_ + "/coordinator.json");
  WorkerProcess never_started(run_, {});
  EXPECT_EQ(never_started.Wait(), 1);
  EXPECT_NE(never_started.Stderr().find("coordinator.json"), std::string::npos) << never_started.Stderr();
}

TEST_F(Replica, AListenerThatNeverSpeaksIsNoCoordinator) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string text = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  ASSERT_TRUE(rpc::WriteRunAddress(run_, {"test", text, 1, "here", 1, false}).ok());
  WorkerProcess worker(run_, {"--start-timeout-s", "0.5"});
  EXPECT_EQ(worker.Wait(10), 1);
  EXPECT_NE(worker.Stderr().find(text), std::string::npos) << worker.Stderr();
  close(listener);
}

TEST_F(Replica, ACoordinatorThatVanishesLeavesTheResultsInTheLogs) {
  const auto refuse = [](Record&) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down"); };
  ScriptedCoordinator coordinator(
      run_, {.lease = InTurn({Lease("1", {ScoreItem("kept", llama_)}, {llama_})}), .submit = refuse});
  WorkerProcess worker(run_, {"--orphan-timeout-s", "0.5"});
  ASSERT_TRUE(coordinator.Await([](const Record& record) { return !record.submits.empty(); }));
  coordinator.Stop();
  EXPECT_EQ(worker.Wait(), 1);
  EXPECT_NE(worker.Stderr().find("no coordinator for"), std::string::npos) << worker.Stderr();
  EXPECT_NE(SavedResults().find("\"itemId\":\"kept\""), std::string::npos) << SavedResults();
}

TEST_F(Replica, TheNextCoordinatorGetsWhatWasMadeForTheOneBefore) {
  ScriptedCoordinator* running = nullptr;
  const auto take_over = [&running](Record& record) {
    if (record.epoch == 1) running->TakeOver(record, 2);  // this Submit and what follows of epoch 1 is refused
    return grpc::Status::OK;
  };
  const std::vector<v1::Item> items = {ScoreItem("a", llama_), SampleItem("b", llama_)};
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("1", items, {llama_})}), .submit = take_over});
  running = &coordinator;
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  const Record record = coordinator.record();
  ASSERT_EQ(record.registers.size(), 2u);
  EXPECT_EQ(record.registers[1].epoch(), 2u);
  EXPECT_EQ(ById(record.stored).size(), 2u);
  for (const v1::SubmitRequest& submit : record.submits) {
    EXPECT_EQ(submit.worker_id(), "worker-" + std::to_string(submit.epoch()));
  }
}

TEST_F(Replica, LostLeasesDoNotKeepItFromLeaving) {
  // The first lease computes, the second waits for another model; then both are lost and the worker is to leave.
  const auto lease = [this](Record& record) {
    if (record.leases.size() == 1) return Lease("1", {SampleItem("a", llama_, 4, 900)}, {llama_});
    if (record.leases.size() == 2) return Lease("2", {ScoreItem("b", mistral_), ScoreItem("c", mistral_)}, {mistral_});
    return record.renews.empty() ? Wait() : LeaveNow();
  };
  const auto renew = [](Record& record) {
    v1::RenewResponse response;
    for (const std::string& id : record.renews.back().lease_ids()) response.add_lost_lease_ids(id);
    return response;
  };
  v1::RegisterResponse registration;
  registration.mutable_engine()->set_max_batch(1);
  ScriptedCoordinator coordinator(run_, {.registration = registration, .lease = lease, .renew = renew});
  WorkerProcess worker(run_, {});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();
  EXPECT_GE(ById(coordinator.record().stored).size(), 1u);
}

TEST_F(Replica, TerminateIsNoticeAndGivesTheLeasesBack) {
  std::vector<v1::Item> long_work;
  for (int i = 0; i < 4; ++i) long_work.push_back(SampleItem("long " + std::to_string(i), llama_, 64, 1000));
  v1::RegisterResponse registration;
  registration.mutable_engine()->set_max_batch(1);
  ScriptedCoordinator coordinator(run_,
                                  {.registration = registration, .lease = InTurn({Lease("1", long_work, {llama_})})});
  WorkerProcess worker(run_, {});
  ASSERT_TRUE(coordinator.Await([](const Record& record) {
    return !record.renews.empty() && record.renews.back().stats().steps() > 0;
  })) << worker.Stderr();
  worker.Terminate();
  EXPECT_EQ(worker.Wait(15), 0) << worker.Stderr();
  const Record record = coordinator.record();
  ASSERT_EQ(record.leaves.size(), 1u);
  EXPECT_EQ(record.leaves[0].reason(), "SIGTERM");
  EXPECT_LT(record.stored.size(), 4u);
}

TEST_F(Replica, TerminateEndsAnIdleWorker) {
  ScriptedCoordinator coordinator(run_, {.lease = [](Record&) { return Wait(); }});
  WorkerProcess worker(run_, {});
  ASSERT_TRUE(coordinator.Await([](const Record& record) { return record.leases.size() > 1; }));
  worker.Terminate();
  EXPECT_EQ(worker.Wait(10), 0) << worker.Stderr();
  EXPECT_EQ(coordinator.record().leaves.size(), 1u);
}

}  // namespace
}  // namespace srlm::worker
