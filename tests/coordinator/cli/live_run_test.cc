// Reading a run from a real server on a free port.
#include "coordinator/cli/live_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/rpc/run_address.h"
#include "common/rpc/server.h"

namespace srlm::cli {
namespace {

/// A coordinator that only answers.
class AnsweringService : public v1::RunService::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::RunStatus* status) override {
    status->set_run_id("live");
    return grpc::Status::OK;
  }
  grpc::Status WatchStatus(grpc::ServerContext*, const v1::WatchStatusRequest*,
                           grpc::ServerWriter<v1::RunStatus>* writer) override {
    v1::RunStatus status;
    for (uint32_t round = 1; round <= 3; ++round) {
      status.set_round(round);
      writer->Write(status);
    }
    return grpc::Status::OK;
  }
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest* request, v1::ListResponse* answer) override {
    if (request->table() == "bad") {
      answer->add_rows_json("not json");
      return grpc::Status::OK;
    }
    const int at = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    answer->add_rows_json("{\"at\": " + std::to_string(at) + "}");
    if (at < 4) answer->set_next_page_token(std::to_string(at + 1));
    return grpc::Status::OK;
  }
};

class LiveRunTest : public ::testing::Test {
 protected:
  LiveRunTest() {
    auto started = rpc::Server::Start("127.0.0.1:0", {&service_}, std::nullopt);
    SRLM_CHECK(started.ok(), started.status().message());
    server_ = std::move(*started);
  }
  AnsweringService service_;
  std::unique_ptr<rpc::Server> server_;
};

TEST_F(LiveRunTest, GivesTheStatus) {
  auto run = OpenAddress(server_->address(), "");
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ((*run)->Status()->run_id(), "live");
}

TEST_F(LiveRunTest, ReadsPageAfterPageUpToTheLimit) {
  auto run = OpenAddress(server_->address(), "");
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(ReadRows(**run, "prompts", 0, 0)->size(), 5U);
  EXPECT_EQ(ReadRows(**run, "prompts", 0, 2)->size(), 2U);
}

TEST_F(LiveRunTest, RefusesARowThatIsNoJson) {
  auto run = OpenAddress(server_->address(), "");
  ASSERT_TRUE(run.ok());
  EXPECT_FALSE(ReadRows(**run, "bad", 0, 0).ok());
}

TEST_F(LiveRunTest, WatchesUntilTheEndOrTheReaderLeaves) {
  auto run = LiveRun::Connect(server_->address(), "");
  ASSERT_TRUE(run.ok());
  uint32_t seen = 0;
  EXPECT_TRUE(
      (*run)->Watch(1, std::nullopt, [&](const v1::RunStatus& status) { return (seen = status.round()) < 10; }).ok());
  EXPECT_EQ(seen, 3U);
  EXPECT_TRUE(
      (*run)->Watch(1, std::nullopt, [&](const v1::RunStatus& status) { return (seen = status.round()) < 1; }).ok());
  EXPECT_EQ(seen, 1U);
}

TEST_F(LiveRunTest, IsFoundByTheRunsFolder) {
  const std::string folder = ::testing::TempDir() + "/srlm-live-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(
      rpc::WriteRunAddress(
          folder, {.run_id = "live", .address = server_->address(), .epoch = 1, .host = "", .pid = 0, .secure = false})
          .ok());
  auto run = OpenRun(folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ((*run)->Status()->run_id(), "live");
}

TEST(LiveRun, GivesUpWhenNobodyAnswers) {
  std::string address;
  {
    AnsweringService service;
    address = (*rpc::Server::Start("127.0.0.1:0", {&service}, std::nullopt))->address();  // and gone again
  }
  const Clock::time_point begin = Clock::now();
  const auto run = OpenAddress(address, "");
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.status().code(), Code::kUnavailable);
  EXPECT_NE(run.status().message().find(address), std::string::npos);
  EXPECT_LT(SecondsSince(begin), 10);
}

TEST(LiveRun, RefusesAnAddressThatIsNone) {
  EXPECT_EQ(OpenAddress("nowhere", "").status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace srlm::cli
