#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "common/base/file.h"
#include "common/rpc/run_address.h"
#include "srlm/v1/training.grpc.pb.h"
#include "trainer/report/coordinator_reporter.h"

namespace srlm::trainer {
namespace {

/// Keeps what it is told.
class Recorder : public v1::TrainingService::Service {
 public:
  grpc::Status ReportProgress(grpc::ServerContext*, const v1::TrainingProgress* request,
                              v1::TrainingDirective* response) override {
    progress = *request;
    response->set_stop(stop);
    if (full > 0) return --full, grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "no room");
    told = progress.step();
    return refuse ? grpc::Status(grpc::StatusCode::ABORTED, "another coordinator owns the run") : grpc::Status::OK;
  }
  grpc::Status ReportDone(grpc::ServerContext*, const v1::TrainingDone* request, v1::TrainingAck*) override {
    done = *request;
    return grpc::Status::OK;
  }
  grpc::Status ReportStopped(grpc::ServerContext*, const v1::TrainingStopped* request, v1::TrainingAck*) override {
    stopped = *request;
    return grpc::Status::OK;
  }
  grpc::Status ReportFailed(grpc::ServerContext*, const v1::TrainingFailed* request, v1::TrainingAck*) override {
    failed = *request;
    return grpc::Status::OK;
  }
  bool stop = false, refuse = false;
  int full = 0;  // reports that find no room
  uint64_t told = 0;
  v1::TrainingProgress progress;
  v1::TrainingDone done;
  v1::TrainingStopped stopped;
  v1::TrainingFailed failed;
};

class ReportTest : public testing::Test {
 protected:
  ReportTest() { std::filesystem::create_directories(run_); }
  ~ReportTest() override {
    if (server_) server_->Shutdown();
    std::filesystem::remove_all(run_);
  }

  /// A server on a free port, named by the run with this epoch.
  void Serve(uint64_t epoch) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&recorder_);
    server_ = builder.BuildAndStart();
    ASSERT_TRUE(server_);
    const rpc::RunAddress address = {"run", "127.0.0.1:" + std::to_string(port), epoch, "localhost", getpid(), false};
    ASSERT_TRUE(rpc::WriteRunAddress(run_, address).ok());
  }

  std::string run_ = testing::TempDir() + "srlm_report_" + std::to_string(getpid());
  Recorder recorder_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ReportTest, TellsTheRunsCoordinatorOfStepsAndTheEnd) {
  Serve(7);
  auto reporter = ConnectToCoordinator(run_, "sft-1", "launch-1");
  ASSERT_TRUE(reporter.ok()) << reporter.status().message();
  StepValues values;
  values.step = 3;
  values.total_steps = 9;
  values.loss = 0.5;
  values.margin = 0.25;
  values.tokens = 1234;
  EXPECT_FALSE(*(*reporter)->Step(values));
  EXPECT_EQ(recorder_.progress.epoch(), 7u);
  EXPECT_EQ(recorder_.progress.job_id(), "sft-1");
  EXPECT_EQ(recorder_.progress.step(), 3u);
  EXPECT_EQ(recorder_.progress.total_steps(), 9u);
  EXPECT_EQ(recorder_.progress.loss(), 0.5);
  EXPECT_EQ(recorder_.progress.margin(), 0.25);
  EXPECT_EQ(recorder_.progress.tokens(), 1234u);
  EXPECT_EQ(recorder_.progress.notes_size(), 0);
  recorder_.stop = true;
  (*reporter)->Note("goes on after step 3");
  EXPECT_TRUE(*(*reporter)->Step(values));
  ASSERT_EQ(recorder_.progress.notes_size(), 1);
  EXPECT_EQ(recorder_.progress.notes(0), "goes on after step 3");
  EXPECT_FALSE(*(*reporter)->Step(values) && recorder_.progress.notes_size() > 0);  // said once
  (*reporter)->Stopped(4, true, "asked");
  EXPECT_EQ(recorder_.stopped.steps(), 4u);
  EXPECT_TRUE(recorder_.stopped.asked());
  EXPECT_EQ(recorder_.stopped.launch_id(), "launch-1");
  ASSERT_TRUE((*reporter)->Done({"/models/M1", "0123456789abcdef", 9, 5000, 1.5}).ok());
  EXPECT_EQ(recorder_.done.model_folder(), "/models/M1");
  EXPECT_EQ(recorder_.done.model_id(), "0123456789abcdef");
  (*reporter)->Failed(ResourceExhausted("no space left"));
  EXPECT_EQ(recorder_.failed.message(), "no space left");
  EXPECT_EQ(recorder_.failed.code(), 8u);
  for (const std::string& launch :
       {recorder_.progress.launch_id(), recorder_.done.launch_id(), recorder_.failed.launch_id()}) {
    EXPECT_EQ(launch, "launch-1");
  }
}

TEST_F(ReportTest, ARefusalEndsTheJobAndSilenceDoesNot) {
  Serve(1);
  auto reporter = ConnectToCoordinator(run_, "dpo-2", "launch-1");
  ASSERT_TRUE(reporter.ok());
  recorder_.refuse = true;
  EXPECT_EQ((*reporter)->Step({}).status().code(), Code::kAborted);
  server_->Shutdown();
  const auto silent = (*reporter)->Step({});
  ASSERT_TRUE(silent.ok()) << silent.status().message();
  EXPECT_FALSE(*silent);
}

TEST_F(ReportTest, TheLastStepIsToldWhenThereIsRoomForIt) {
  Serve(1);
  auto reporter = ConnectToCoordinator(run_, "dpo-2", "launch-1");
  ASSERT_TRUE(reporter.ok());
  recorder_.full = 3;
  for (int step = 0; step < 2; ++step) {
    StepValues values;
    values.step = step + 5;
    const auto stop = (*reporter)->Step(values);
    ASSERT_TRUE(stop.ok()) << stop.status().message();
    EXPECT_FALSE(*stop);
  }
  EXPECT_EQ(recorder_.told, 0u);
  ASSERT_TRUE((*reporter)->Done({"/models/M1", "0123456789abcdef", 7, 5000, 1.5}).ok());
  EXPECT_EQ(recorder_.told, 6u);
  EXPECT_EQ(recorder_.done.steps(), 7u);
}

TEST_F(ReportTest, FindsTheNextCoordinatorOfTheRun) {
  Serve(1);
  auto reporter = ConnectToCoordinator(run_, "dpo-2", "launch-1");
  ASSERT_TRUE(reporter.ok());
  server_->Shutdown();
  Serve(2);
  ASSERT_TRUE((*reporter)->Done({}).ok());  // tries again until somebody has it
  EXPECT_EQ(recorder_.done.epoch(), 2u);
}

TEST_F(ReportTest, SaysThatARunHasNoCoordinator) {
  EXPECT_EQ(ConnectToCoordinator(run_, "sft-1", "launch-1").status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace srlm::trainer
