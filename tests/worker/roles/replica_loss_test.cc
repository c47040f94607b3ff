// srlm-worker --run when its coordinator, or the way to it, is lost: nothing is lost or made twice, and the process
// ends.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "common/base/file.h"
#include "common/rpc/run_address.h"
#include "tests/worker/roles/replica_fixture.h"

namespace srlm::worker {
namespace {

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

// A socket that listens at a free port and never speaks; `text` becomes its address.
int SilentListener(std::string& text) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener, 4), 0);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  text = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return listener;
}

TEST_F(Replica, AListenerThatNeverSpeaksIsNoCoordinator) {
  std::string text;
  const int listener = SilentListener(text);
  ASSERT_TRUE(rpc::WriteRunAddress(run_, {"test", text, 1, "here", 1, false}).ok());
  WorkerProcess worker(run_, {"--start-timeout-s", "0.5"});
  EXPECT_EQ(worker.Wait(10), 1);
  EXPECT_NE(worker.Stderr().find(text), std::string::npos) << worker.Stderr();
  close(listener);
}

TEST_F(Replica, AtItsStartItFindsTheSuccessorOfACoordinatorThatDied) {
  std::string text;
  const int listener = SilentListener(text);
  ASSERT_TRUE(rpc::WriteRunAddress(run_, {"test", text, 1, "here", 1, false}).ok());
  WorkerProcess worker(run_, {"--start-timeout-s", "60"});
  pollfd calls{listener, POLLIN, 0};
  ASSERT_EQ(poll(&calls, 1, 20000), 1);  // it has read the first address
  ScriptedCoordinator next(run_, {});
  EXPECT_EQ(worker.Wait(20), 0) << worker.Stderr();
  close(listener);
}

TEST_F(Replica, ACoordinatorThatVanishesLeavesTheResultsToTheNextWorker) {
  const std::vector<v1::Item> items = {ScoreItem("kept", llama_), SampleItem("kept too", llama_)};
  v1::RegisterResponse registration;
  registration.set_orphan_timeout_ms(500);
  {
    const auto refuse = [](Record&) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down"); };
    ScriptedCoordinator coordinator(
        run_, {.registration = registration, .lease = InTurn({Lease("1", items, {llama_})}), .submit = refuse});
    WorkerProcess worker(run_, {});
    ASSERT_TRUE(coordinator.Await(
        [](const Record& record) { return !record.submits.empty() && record.submits.back().results_size() == 2; }));
    coordinator.Stop();
    EXPECT_EQ(worker.Wait(), 1);
    EXPECT_NE(worker.Stderr().find("no coordinator for"), std::string::npos) << worker.Stderr();
  }
  ASSERT_EQ(SavedFiles().size(), 1u);
  // Of another run, and torn: nothing to hand in, and not to be removed either.
  ASSERT_TRUE(WriteFileAtomic(run_ + "/logs/srlm-worker/unacknowledged-a.jsonl", "{\"run_id\":\"other\"}\n{}\n").ok());
  ASSERT_TRUE(WriteFileAtomic(run_ + "/logs/srlm-worker/unacknowledged-b.jsonl", "{\"run_id\":\"test\"}\n{\"it").ok());

  ScriptedCoordinator next(run_, {.lease = [](Record& record) { return record.stored.empty() ? Wait() : LeaveNow(); }});
  WorkerProcess worker(run_, {});
  EXPECT_EQ(worker.Wait(), 0) << worker.Stderr();
  const auto results = ById(next.record().stored);
  ASSERT_EQ(results.size(), 2u);
  for (const v1::Item& item : items) {
    v1::ItemResult result = results.at(item.item_id());
    result.clear_lease_id();
    result.clear_seconds();
    EXPECT_EQ(result.DebugString(), Expected(item, llama_).DebugString());
  }
  EXPECT_EQ(SavedFiles().size(), 2u) << "what was handed in is removed, the others are not";
}

TEST_F(Replica, TheNextCoordinatorGetsWhatWasMadeForTheOneBefore) {
  std::atomic<ScriptedCoordinator*> running = nullptr;  // read by the server's threads
  const auto take_over = [&running](Record& record) {
    if (record.epoch == 1) running.load()->TakeOver(record, 2);  // this Submit and what follows of epoch 1 is refused
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

TEST_F(Replica, AWorkerThatWasStoppedForLongFindsItsCoordinatorAgain) {
  const auto lease = [](Record& record) { return record.epoch == 1 ? Wait() : LeaveNow(); };
  ScriptedCoordinator coordinator(run_, {.lease = lease});
  WorkerProcess worker(run_, {"--orphan-timeout-s", "0.3"});
  ASSERT_TRUE(coordinator.Await([](const Record& record) { return record.leases.size() > 1; })) << worker.Stderr();
  worker.Signal(SIGSTOP);
  EXPECT_EQ(worker.Wait(1), -1);  // longer than it would look for a coordinator
  coordinator.PublishEpoch(2);    // its next call fails
  worker.Signal(SIGCONT);
  EXPECT_EQ(worker.Wait(), 0) << worker.Stderr();
  EXPECT_EQ(coordinator.record().registers.size(), 2u);
}

TEST_F(Replica, BeforeItGivesUpItTriesOnceMoreOverANewConnection) {
  const auto refuse = [](Record& record) {  // for longer than the timeout, until it has registered again
    return record.registers.size() < 2 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "busy") : grpc::Status::OK;
  };
  ScriptedCoordinator coordinator(
      run_, {.lease = InTurn({Lease("1", {ScoreItem("a", llama_)}, {llama_})}), .submit = refuse});
  WorkerProcess worker(run_, {"--orphan-timeout-s", "0.3"});
  EXPECT_EQ(worker.Wait(), 0) << worker.Stderr();
  EXPECT_EQ(ById(coordinator.record().stored).size(), 1u);
}

TEST_F(Replica, ACoordinatorThatWaitsForRoomIsWaitedForLongerThanALostOne) {
  const auto refuse = [](Record& record) {
    return record.submits.size() < 5 ? grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "no room") : grpc::Status::OK;
  };
  ScriptedCoordinator coordinator(
      run_, {.lease = InTurn({Lease("1", {ScoreItem("a", llama_)}, {llama_})}), .submit = refuse});
  WorkerProcess worker(run_, {"--orphan-timeout-s", "0.3"});
  EXPECT_EQ(worker.Wait(), 0) << worker.Stderr();
  EXPECT_EQ(ById(coordinator.record().stored).size(), 1u);
  EXPECT_EQ(coordinator.record().registers.size(), 1u);
}

TEST_F(Replica, LeasesOfAnEngineThatStandsStillAreNotRenewed) {
  // One step takes longer than the test. The worker has room for more and goes on asking, but renews nothing.
  std::vector<size_t> renewed;  // at each Lease
  const auto lease = [&](Record& record) {
    renewed.push_back(record.renews.size());
    return record.leases.size() == 1 ? Lease("1", {SampleItem("a", llama_)}, {llama_}) : Wait();
  };
  ScriptedCoordinator coordinator(run_, {.lease = lease});
  WorkerProcess worker(run_, {}, {"SRLM_SLOWDOWN=1e9"});
  EXPECT_TRUE(coordinator.Await([&](const Record&) {
    return renewed.size() > 20 && renewed[renewed.size() - 1] == renewed[renewed.size() - 12];
  })) << "it renews without progress";
  EXPECT_TRUE(coordinator.record().stored.empty());
}

}  // namespace
}  // namespace srlm::worker
