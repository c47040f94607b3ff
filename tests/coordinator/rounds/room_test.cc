// A run whose disk has less room than its configuration wants: it waits from its first turn on.
#include <thread>

#include "common/rpc/channel.h"
#include "common/rpc/run_address.h"
#include "coordinator/rounds/coordinator.h"
#include "coordinator/rounds/room.h"
#include "srlm/v1/run.grpc.pb.h"
#include "srlm/v1/work.grpc.pb.h"
#include "tests/coordinator/rounds/fake_launcher.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

constexpr char kTooMuch[] = "coordinator.min_free_mib=900000000";

class RoomTest : public RunFilesTest {
 protected:
  void TearDown() override {
    if (work_.joinable()) {
      coordinator_->Stop();
      work_.join();
    }
    coordinator_.reset();
    RunFilesTest::TearDown();
  }
  void Start() {
    auto created = Coordinator::Create(Config({kTooMuch}), RunDir(), FastOptions(groups_));
    ASSERT_TRUE(created.ok()) << created.status().message();
    coordinator_ = std::move(*created);
    const auto address = rpc::ReadRunAddress(RunDir());
    ASSERT_TRUE(address.ok());
    steer_ = v1::RunService::NewStub(*rpc::MakeRunChannel(RunDir(), *address, rpc::Right::kSteer));
    work_stub_ = v1::WorkService::NewStub(*rpc::MakeRunChannel(RunDir(), *address, rpc::Right::kWork));
    work_ = std::thread([this] { end_ = coordinator_->Run(); });
    const Deadline deadline = Deadline::AfterSeconds(20);
    while (coordinator_->Status().state() != "paused" && !deadline.Expired()) std::this_thread::yield();
    EXPECT_EQ(coordinator_->Status().state(), "paused");
  }
  RunEnd Finish() {
    work_.join();
    EXPECT_TRUE(end_.ok()) << end_.status().message();
    return *end_;
  }
  template <class Stub, class Request, class Response>
  Result<Response> Ask(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
    return rpc::Call<Stub, Request, Response>(stub, method, {}, 10, "ask");
  }

  FakeGroups groups_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<v1::RunService::Stub> steer_;
  std::unique_ptr<v1::WorkService::Stub> work_stub_;
  std::thread work_;
  Result<RunEnd> end_ = RunEnd::kDone;
};

TEST_F(RoomTest, TooLittleRoomIsSaidWithWhereAndHowMuch) {
  const Status short_of = Room(Config({kTooMuch}).coordinator, RunDir()).Check();
  EXPECT_EQ(short_of.code(), Code::kResourceExhausted);
  for (const char* part : {"no room on /", " MiB free, about 900000000 MiB needed; free ", " MiB there"})
    EXPECT_NE(short_of.message().find(part), std::string::npos) << short_of.message();
  EXPECT_TRUE(Room(Config({"coordinator.min_free_mib=0"}).coordinator, RunDir()).Check().ok());
  EXPECT_FALSE(
      Room(Config({"coordinator.min_free_mib=0"}).coordinator, RunDir()).Check({uint64_t{1} << 60, "a lot"}).ok());
}

TEST_F(RoomTest, ARunThatWaitsAnswersAndStopsInOrder) {
  Start();
  const auto status = Ask(*steer_, &v1::RunService::Stub::GetStatus);
  ASSERT_TRUE(status.ok()) << status.status().message();
  EXPECT_EQ(status->state(), "paused");
  EXPECT_NE(status->message().find("MiB needed"), std::string::npos) << status->message();
  EXPECT_NE(status->message().find("goes on by itself"), std::string::npos) << status->message();
  const Status leased = Ask(*work_stub_, &v1::WorkService::Stub::Lease).status();
  EXPECT_EQ(leased.code(), Code::kResourceExhausted) << leased.message();
  EXPECT_EQ(groups_.workers + groups_.trainers, 0);
  coordinator_->Stop();
  EXPECT_EQ(Finish(), RunEnd::kStopped);
}

TEST_F(RoomTest, ARunThatWaitsIsPausedByAPersonAndCancelled) {
  Start();
  const auto resumed = Ask(*steer_, &v1::RunService::Stub::Resume);
  ASSERT_TRUE(resumed.ok()) << resumed.status().message();
  EXPECT_EQ(resumed->state(), "paused");
  EXPECT_NE(resumed->message().find("MiB needed"), std::string::npos) << resumed->message();
  ASSERT_TRUE(Ask(*steer_, &v1::RunService::Stub::Pause).ok());
  const Deadline deadline = Deadline::AfterSeconds(20);
  while (coordinator_->Status().message() != "paused" && !deadline.Expired()) std::this_thread::yield();
  EXPECT_EQ(coordinator_->Status().message(), "paused") << "the person's wish, not the disk's";
  ASSERT_TRUE(Ask(*steer_, &v1::RunService::Stub::Cancel).ok());
  EXPECT_EQ(Finish(), RunEnd::kCancelled);
}

}  // namespace
}  // namespace srlm::rounds
