#include "common/rpc/server.h"

#include <grpcpp/impl/codegen/client_unary_call.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "srlm/v1/run.grpc.pb.h"

namespace srlm::rpc {
namespace {

class Answering final : public v1::RunService::Service {
 public:
  explicit Answering(Status status) : status_(std::move(status)) {}
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::RunStatus* response) override {
    response->set_name("demo");
    return ToGrpc(status_);
  }

 private:
  Status status_;
};

// grpc.health.v1.Health/Check without its .proto: an empty request asks for the whole server, and field 1 of the answer
// is 1 when it serves.
grpc::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel) {
  const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  SetDeadline(context, 10);
  v1::GetStatusRequest request;   // no bytes on the wire
  v1::WatchStatusRequest answer;  // its field 1 is a varint, too
  const grpc::Status status = grpc::internal::BlockingUnaryCall<v1::GetStatusRequest, v1::WatchStatusRequest>(
      channel.get(), method, &context, request, &answer);
  EXPECT_EQ(answer.interval_ms(), 1u);
  return status;
}

Result<v1::RunStatus> Ask(const std::string& address) {
  const auto stub = v1::RunService::NewStub(MakeChannel(address, std::nullopt));
  return Call(*stub, &v1::RunService::Stub::GetStatus, v1::GetStatusRequest(), 10, "GetStatus at " + address);
}

TEST(Server, AnswersOnAFreePortWithHealth) {
  Answering service{OkStatus()};
  const auto server = Server::Start("127.0.0.1:0", {&service}, std::nullopt);
  ASSERT_TRUE(server.ok()) << server.status().message();
  const auto answer = Ask((*server)->address());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->name(), "demo");
  EXPECT_TRUE(CheckHealth(MakeChannel((*server)->address(), std::nullopt)).ok());
}

TEST(Server, FailuresCrossWithTheirCodeAndMessage) {
  for (const Status& sent : {FailedPrecondition("wrong state"), NotFound("not there"), DataLoss("torn"),
                             ResourceExhausted("full"), InvalidArgument("bad")}) {
    Answering service(sent);
    const auto server = Server::Start("127.0.0.1:0", {&service}, std::nullopt);
    ASSERT_TRUE(server.ok());
    const Status got = Ask((*server)->address()).status();
    EXPECT_EQ(got.code(), sent.code());
    EXPECT_TRUE(got.message().ends_with(sent.message())) << got.message();
  }
}

TEST(Server, RefusesAPortInUseAndSaysSo) {
  Answering service{OkStatus()};
  const auto first = Server::Start("127.0.0.1:0", {&service}, std::nullopt);
  ASSERT_TRUE(first.ok());
  const auto second = Server::Start((*first)->address(), {&service}, std::nullopt);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kFailedPrecondition);
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);
}

TEST(Server, WithoutSecurityItListensOnLoopbackOnly) {
  Answering service{OkStatus()};
  const auto server = Server::Start("0.0.0.0:0", {&service}, std::nullopt);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find("loopback"), std::string::npos);
}

TEST(Channel, NobodyThereIsUnavailable) {
  std::string address;
  {
    Answering service{OkStatus()};
    const auto server = Server::Start("127.0.0.1:0", {&service}, std::nullopt);
    ASSERT_TRUE(server.ok());
    address = (*server)->address();
  }
  const Status status = Ask(address).status();
  EXPECT_EQ(status.code(), Code::kUnavailable) << status.message();
  EXPECT_NE(status.message().find(address), std::string::npos);
}

}  // namespace
}  // namespace srlm::rpc
