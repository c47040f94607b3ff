// srlm-worker --run against a scripted coordinator: every item comes back once with what the engine gives, and the
// process ends when it is told to.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/base/hash.h"
#include "common/base/manifest.h"
#include "tests/worker/roles/replica_fixture.h"
#include "worker/engine/arithmetic.h"
#include "worker/engine/kernels/kernels.h"

namespace srlm::worker {
namespace {

TEST_F(Replica, EveryKindOfItemComesBackOnceWithWhatTheEngineGives) {
  const std::vector<v1::Item> items = {SampleItem("sample", llama_), ChooseItem("choose", llama_),
                                       ScoreItem("score", llama_), SampleItem("single", llama_, 1)};
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("lease-1", items, {llama_})})});
  WorkerProcess worker(run_, {"--launch-id", "launch-7"});
  ASSERT_EQ(worker.Wait(), 0) << worker.Stderr();

  const Record record = coordinator.record();
  EXPECT_EQ(record.registers.at(0).launch_id(), "launch-7");
  EXPECT_EQ(record.registers.at(0).run_id(), "test");
  EXPECT_EQ(record.registers.at(0).device(), std::string("cpu/") + SelectKernels().name);
  EXPECT_EQ(record.registers.at(0).arithmetic(), ArithmeticId(SelectKernels()));
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
    const std::vector<int> prompt(item.prompt_token_ids().begin(), item.prompt_token_ids().end());
    EXPECT_EQ(result.prompt_hash(), Sha256Tokens(prompt));
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
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(15), 0) << worker.Stderr();
  const Record record = coordinator.record();
  ASSERT_EQ(record.leaves.size(), 1u);
  EXPECT_EQ(record.leaves[0].reason(), "SIGTERM");
  EXPECT_LT(record.stored.size(), 4u);
}

TEST_F(Replica, TerminateAndInterruptEndAnIdleWorker) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ScriptedCoordinator coordinator(run_, {.lease = [](Record&) { return Wait(); }});
    WorkerProcess worker(run_, {});
    ASSERT_TRUE(coordinator.Await([](const Record& record) { return record.leases.size() > 1; }));
    worker.Signal(signal);
    EXPECT_EQ(worker.Wait(10), 0) << worker.Stderr();
    EXPECT_EQ(coordinator.record().leaves.size(), 1u);
  }
}

TEST_F(Replica, WeightsThatAreNotWhatTheManifestSaysEndTheWorker) {
  v1::ModelRef changed = llama_;
  changed.set_folder(run_ + "/model");
  std::filesystem::copy(llama_.folder(), changed.folder());
  const auto manifest = HashModelFolder(changed.folder());
  ASSERT_TRUE(WriteManifest(changed.folder(), *manifest).ok());
  std::fstream weights(changed.folder() + "/model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  weights.seekp(-8, std::ios::end);
  weights.put(0x55);  // same size, same shapes
  weights.close();
  ScriptedCoordinator coordinator(run_, {.lease = InTurn({Lease("1", {ScoreItem("a", changed)}, {changed})})});
  WorkerProcess worker(run_, {});
  EXPECT_EQ(worker.Wait(), 1);
  EXPECT_NE(worker.Stderr().find("model.safetensors: its SHA-256"), std::string::npos) << worker.Stderr();
  EXPECT_TRUE(coordinator.record().stored.empty());
}

}  // namespace
}  // namespace srlm::worker
