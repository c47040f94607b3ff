// Pause, resume and cancel through the service, on a run whose groups are threads of the test.
#include <nlohmann/json.hpp>
#include <thread>

#include "common/rpc/channel.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/ledger/listing.h"
#include "coordinator/rounds/coordinator.h"
#include "srlm/v1/run.grpc.pb.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

using Stub = v1::RunService::Stub;

class ControlsTest : public RunFilesTest {
 protected:
  void TearDown() override {
    if (work_.joinable()) (void)Finish();
    RunFilesTest::TearDown();
  }
  /// A run at work on a thread of its own, and a caller who may steer it.
  void Start(const std::string& run_dir) {
    auto created = Coordinator::Create(Config(), run_dir, FastOptions(groups_));
    ASSERT_TRUE(created.ok()) << created.status().message();
    coordinator_ = std::move(*created);
    const auto address = rpc::ReadRunAddress(run_dir);
    ASSERT_TRUE(address.ok()) << address.status().message();
    const auto channel = rpc::MakeRunChannel(run_dir, *address, rpc::Right::kSteer);
    ASSERT_TRUE(channel.ok()) << channel.status().message();
    stub_ = v1::RunService::NewStub(*channel);
    work_ = std::thread([this] { end_ = coordinator_->Run(); });
  }
  Result<RunEnd> Finish() {
    work_.join();
    coordinator_.reset();
    return end_;
  }
  Result<v1::ControlResponse> Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const v1::ControlRequest&,
                                                               v1::ControlResponse*)) {
    v1::ControlRequest request;
    request.set_who("ann@desk");
    request.set_reason("the disk is moved");
    return rpc::Call<Stub, v1::ControlRequest, v1::ControlResponse>(*stub_, method, request, 10, "steer");
  }
  /// The status once the run is in `state`, or after 20 s.
  v1::RunStatus AwaitState(const std::string& state) {
    const Deadline deadline = Deadline::AfterSeconds(20);
    while (true) {
      v1::RunStatus status = coordinator_->Status();
      if (status.state() == state || deadline.Expired()) return status;
      std::this_thread::yield();
    }
  }
  /// Until the table of rounds changes or the run ends, or 20 s.
  void AwaitProgress() {
    const auto table = [](const v1::RunStatus& status) {
      std::string text;
      for (v1::RoundSummary round : status.rounds()) {
        round.clear_health();  // a map: the order of its bytes is not its content
        text += round.SerializeAsString();
      }
      return text;
    };
    const std::string before = table(coordinator_->Status());
    const Deadline deadline = Deadline::AfterSeconds(20);
    for (v1::RunStatus now = coordinator_->Status();
         table(now) == before && now.state() == "running" && !deadline.Expired(); now = coordinator_->Status())
      std::this_thread::yield();
  }
  static std::string Tables(const std::string& run_dir) {
    const auto ledger = ledger::Ledger::OpenReadOnly(run_dir);
    EXPECT_TRUE(ledger.ok()) << ledger.status().message();
    std::string text;
    for (const char* table : {"prompts", "candidates", "pairs"}) {
      const auto page = ledger::List(**ledger, table, 0, 0, "");
      for (const auto& row : page->rows) text += row.dump() + "\n";
    }
    return text;
  }

  FakeGroups groups_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Stub> stub_;
  std::thread work_;
  Result<RunEnd> end_ = RunEnd::kStopped;
};

TEST_F(ControlsTest, APausedRunLetsItsWorkersGoSaysWhoPausedItAndGoesOn) {
  Start(RunDir("calm"));
  EXPECT_EQ(*Finish(), RunEnd::kDone);
  Start(RunDir());
  ASSERT_TRUE(Ask(&Stub::Pause).ok());
  const v1::RunStatus paused = AwaitState("paused");
  EXPECT_EQ(paused.state(), "paused");
  EXPECT_EQ(paused.message(), "paused by ann@desk: the disk is moved");
  EXPECT_EQ(paused.workers_size(), 0);
  const int started = groups_.workers + groups_.trainers;
  EXPECT_EQ(Ask(&Stub::Pause)->state(), "paused") << "again changes nothing";
  EXPECT_EQ(groups_.workers + groups_.trainers, started);
  EXPECT_EQ(Ask(&Stub::Resume)->state(), "running");
  const auto end = Finish();
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(*end, RunEnd::kDone);
  EXPECT_EQ(Tables(RunDir("calm")), Tables(RunDir()));
}

TEST_F(ControlsTest, ACancelledRunEndsInOrderAndCanBeGoneOnWith) {
  Start(RunDir("calm"));
  EXPECT_EQ(*Finish(), RunEnd::kDone);
  Start(RunDir());
  ASSERT_TRUE(Ask(&Stub::Cancel).ok());
  const auto end = Finish();
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(*end, RunEnd::kCancelled);
  {
    const auto ledger = ledger::Ledger::OpenReadOnly(RunDir());
    EXPECT_EQ(*(*ledger)->Fact("state"), "cancelled");
    EXPECT_EQ(*(*ledger)->Fact("message"), "cancelled by ann@desk: the disk is moved");
  }
  Start(RunDir());
  EXPECT_EQ(*Finish(), RunEnd::kDone);
  EXPECT_EQ(Tables(RunDir("calm")), Tables(RunDir()));
}

TEST_F(ControlsTest, APausedRunCanBeCancelledAndACancelledOneNotResumed) {
  Start(RunDir());
  ASSERT_TRUE(Ask(&Stub::Pause).ok());
  EXPECT_EQ(AwaitState("paused").state(), "paused");
  ASSERT_TRUE(Ask(&Stub::Cancel).ok());
  // Refused; or the call finds the server on its way out, or gone.
  const Code resumed = Ask(&Stub::Resume).status().code();
  EXPECT_TRUE(resumed == Code::kFailedPrecondition || resumed == Code::kUnavailable || resumed == Code::kCancelled)
      << CodeName(resumed);
  EXPECT_EQ(*Finish(), RunEnd::kCancelled);
}

TEST_F(ControlsTest, ADrainedRunEndsInOrderAndTheNextStartGoesOn) {
  Start(RunDir("calm"));
  EXPECT_EQ(*Finish(), RunEnd::kDone);
  int starts = 0;
  auto end = RunEnd::kStopped;
  for (; end == RunEnd::kStopped && starts < 50; ++starts) {
    Start(RunDir());
    if (starts > 0) AwaitProgress();  // the first is drained at its beginning, before it can be done
    coordinator_->Drain();
    work_.join();
    ASSERT_TRUE(end_.ok()) << end_.status().message();
    EXPECT_TRUE(starts == 0 || coordinator_->GotFurther() || *end_ == RunEnd::kDone);
    EXPECT_EQ(coordinator_->Status().workers_size(), 0);
    end = *end_;
    coordinator_.reset();
  }
  EXPECT_EQ(end, RunEnd::kDone);
  EXPECT_GT(starts, 1);
  EXPECT_EQ(Tables(RunDir("calm")), Tables(RunDir()));
}

TEST_F(ControlsTest, ARunThatAPersonPausedIsStillPausedWhenItIsDrained) {
  Start(RunDir());
  ASSERT_TRUE(Ask(&Stub::Pause).ok());
  EXPECT_EQ(AwaitState("paused").state(), "paused");
  coordinator_->Drain();
  EXPECT_EQ(*Finish(), RunEnd::kPaused);
  const auto ledger = ledger::Ledger::OpenReadOnly(RunDir());
  EXPECT_EQ(*(*ledger)->Fact("state"), "paused");
  EXPECT_EQ(*(*ledger)->Fact("message"), "paused by ann@desk: the disk is moved");
}

}  // namespace
}  // namespace srlm::rounds
