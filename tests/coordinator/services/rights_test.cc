// Every method with every kind of caller, over real connections.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "common/base/file.h"
#include "common/rpc/channel.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/services/front_door.h"
#include "coordinator/services/method_rights.h"
#include "coordinator/services/run_service.h"
#include "coordinator/services/training_service.h"
#include "coordinator/services/work_service.h"
#include "tests/coordinator/services/any_call.h"

namespace srlm::services {
namespace {

using google::protobuf::FileDescriptor;
using rpc::Right;

constexpr double kCallSeconds = 10;

/// Answers everything, and counts what reached it.
class Open final : public WorkHandler, public TrainingHandler, public RunHandler {
 public:
  Result<v1::RegisterResponse> Register(const v1::RegisterRequest&) override { return Count<v1::RegisterResponse>(); }
  Result<v1::LeaseResponse> Lease(const v1::LeaseRequest&) override { return Count<v1::LeaseResponse>(); }
  Result<v1::RenewResponse> Renew(const v1::RenewRequest&) override { return Count<v1::RenewResponse>(); }
  Result<v1::SubmitResponse> Submit(const v1::SubmitRequest&) override { return Count<v1::SubmitResponse>(); }
  Result<v1::LeaveResponse> Leave(const v1::LeaveRequest&) override { return Count<v1::LeaveResponse>(); }
  Result<v1::TrainingDirective> Progress(const v1::TrainingProgress&) override {
    return Count<v1::TrainingDirective>();
  }
  Result<v1::TrainingAck> Done(const v1::TrainingDone&) override { return Count<v1::TrainingAck>(); }
  Result<v1::TrainingAck> Stopped(const v1::TrainingStopped&) override { return Count<v1::TrainingAck>(); }
  Result<v1::TrainingAck> Failed(const v1::TrainingFailed&) override { return Count<v1::TrainingAck>(); }
  Result<v1::RunStatus> GetStatus() override { return Count<v1::RunStatus>(); }
  v1::RunStatus Snapshot() const override { return {}; }
  v1::RunStatus LastSnapshot(Deadline) const override { return {}; }
  Result<v1::ListResponse> List(const v1::ListRequest&) override { return Count<v1::ListResponse>(); }
  Result<v1::ControlResponse> Steer(Control, const v1::ControlRequest&) override {
    return Count<v1::ControlResponse>();
  }

  int reached = 0;  // on the loop's thread; read when no call is under way

 private:
  template <class Response>
  Response Count() {
    ++reached;
    return {};
  }
};

/// Paths of all methods that the proto files declare.
std::vector<std::string> DeclaredMethods() {
  std::vector<std::string> methods;
  for (const FileDescriptor* file : {v1::GetStatusRequest::descriptor()->file(), v1::Item::descriptor()->file(),
                                     v1::TrainingProgress::descriptor()->file()})
    for (int s = 0; s < file->service_count(); ++s)
      for (int m = 0; m < file->service(s)->method_count(); ++m)
        methods.push_back("/" + file->service(s)->full_name() + "/" + file->service(s)->method(m)->name());
  return methods;
}

/// A coordinator's services in front of an open handler.
class RightsTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = testing::TempDir() + "srlm_rights_XXXXXX";
    ASSERT_NE(mkdtemp(run_.data()), nullptr);
    ledger_ = *ledger::Ledger::Open(run_);
    loop_ = std::make_unique<schedule::Loop>(*ledger_, schedule::LoopOptions{});
    work_ = std::make_unique<WorkService>(*loop_, handler_);
    training_ = std::make_unique<TrainingService>(*loop_, handler_);
    runs_ = std::make_unique<RunService>(*loop_, handler_);
    thread_ = std::thread([this] { EXPECT_TRUE(loop_->Run([] { return Result<bool>(true); }).ok()); });
  }
  void TearDown() override {
    loop_->Stop();
    thread_.join();
    door_.server.reset();
    std::filesystem::remove_all(run_);
  }

  void Serve(config::Security security = config::Security::kTls) {
    config::RunConfig config;
    config.security = security;
    auto door = OpenFrontDoor(config, run_, "run-1", {work_.get(), training_.get(), runs_.get()});
    ASSERT_TRUE(door.ok()) << door.status().message();
    door_ = std::move(*door);
  }

  grpc::Status Call(const std::optional<rpc::ClientKeys>& keys, const std::string& method, double seconds) {
    return CallAny(rpc::MakeChannel(door_.advertised, keys), method, seconds);
  }

  rpc::ClientKeys KeysOf(Right right) { return *rpc::ReadKeys(rpc::SecretsFolder(run_, right)); }

  std::string run_;
  Open handler_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<schedule::Loop> loop_;
  std::unique_ptr<WorkService> work_;
  std::unique_ptr<TrainingService> training_;
  std::unique_ptr<RunService> runs_;
  std::thread thread_;
  FrontDoor door_;
};

TEST(MethodRights, EveryDeclaredMethodIsInTheTableAndNothingElse) {
  std::set<std::string> table;
  for (const auto& [method, right] : MethodRightsOfRun()) table.insert(method);
  const std::vector<std::string> declared = DeclaredMethods();
  EXPECT_EQ(table, std::set<std::string>(declared.begin(), declared.end()));
}

TEST(MethodRights, LookingIsForReadersWorkForWorkersTheRestForWhoSteers) {
  const std::set<std::string> reading = {"GetStatus", "WatchStatus", "List"};
  for (const auto& [method, right] : MethodRightsOfRun()) {
    const bool run_service = method.starts_with("/srlm.v1.RunService/");
    const bool reads = reading.contains(method.substr(method.rfind('/') + 1));
    EXPECT_EQ(right, !run_service ? Right::kWork : reads ? Right::kRead : Right::kSteer) << method;
  }
}

TEST_F(RightsTest, EachRightReachesItsMethodsAndNoOther) {
  Serve();
  rpc::MethodRights methods = MethodRightsOfRun();
  methods.merge(rpc::OwnMethodRights());
  for (const Right held : rpc::kRights) {
    const auto channel = rpc::MakeChannel(door_.advertised, KeysOf(held));
    for (const auto& [method, needed] : methods) {
      const grpc::Status status = CallAny(channel, method, kCallSeconds);
      EXPECT_EQ(status.error_code(),
                rpc::Includes(held, needed) ? grpc::StatusCode::OK : grpc::StatusCode::PERMISSION_DENIED)
          << rpc::RightName(held) << " " << method << ": " << status.error_message();
    }
  }
}

TEST_F(RightsTest, AMethodWithoutADeclaredRightIsServedToNobody) {
  rpc::MethodRights rights = MethodRightsOfRun();
  ASSERT_EQ(rights.erase("/srlm.v1.RunService/GetStatus"), 1u);
  auto server = rpc::Server::Start("127.0.0.1:0", {runs_.get()},
                                   rpc::ServerSecurity{*rpc::PrepareSecrets(run_, "run-1"), rights});
  ASSERT_TRUE(server.ok());
  for (const Right held : rpc::kRights) {
    const auto channel = rpc::MakeChannel((*server)->address(), KeysOf(held));
    for (const char* method : {"/srlm.v1.RunService/GetStatus", "/srlm.v1.RunService/Nothing", "/"})
      EXPECT_EQ(CallAny(channel, method, kCallSeconds).error_code(), grpc::StatusCode::PERMISSION_DENIED) << method;
  }
  EXPECT_EQ(handler_.reached, 0);
}

TEST_F(RightsTest, NoneExpiredAndAnotherRunsKeysReachNothing) {
  Serve();
  std::map<std::string, std::optional<rpc::ClientKeys>> callers = {{"plaintext", std::nullopt}};
  rpc::ClientKeys none = KeysOf(Right::kSteer);
  none.client = {};
  callers["no certificate"] = none;

  // Signed by this run's authority, as if its owner had let them run out.
  const std::string pem = run_ + "/secrets/authority/ca.pem";
  const rpc::Identity authority{*ReadFile(pem), *ReadFile(pem)};
  for (const Right right : rpc::kRights) {
    const std::string name(rpc::RightName(right));
    rpc::ClientKeys expired = KeysOf(right);
    expired.client.certificate =
        *rpc::IssueCertificate(authority, expired.client.key, {"run-1", name}, std::chrono::hours(-1));
    callers["expired " + name] = expired;

    const std::string other_run = run_ + "/other";
    std::filesystem::create_directories(other_run);
    ASSERT_TRUE(rpc::PrepareSecrets(other_run, "run-2").ok());
    rpc::ClientKeys other = *rpc::ReadKeys(rpc::SecretsFolder(other_run, right));
    callers["another run's " + name] = other;
    other.authority_certificate = KeysOf(right).authority_certificate;  // it trusts this server all the same
    other.run_id = "run-1";
    callers["another run's trusting " + name] = other;

    // Signed by our authority, but for another run or for no right.
    rpc::ClientKeys foreign = KeysOf(right);
    foreign.client.certificate =
        *rpc::IssueCertificate(authority, foreign.client.key, {"run-2", name}, std::chrono::hours(1));
    callers["of run-2 by our authority, " + name] = foreign;
  }
  rpc::ClientKeys nobody = KeysOf(Right::kSteer);
  nobody.client.certificate =
      *rpc::IssueCertificate(authority, nobody.client.key, {"run-1", "owner"}, std::chrono::hours(1));
  callers["of no right"] = nobody;

  rpc::MethodRights methods = MethodRightsOfRun();
  methods.merge(rpc::OwnMethodRights());
  for (const auto& [name, keys] : callers) {
    const auto channel = rpc::MakeChannel(door_.advertised, keys);
    for (const auto& [method, right] : methods) {
      const grpc::Status status = CallAny(channel, method, kCallSeconds);
      EXPECT_TRUE(status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                  status.error_code() == grpc::StatusCode::UNAUTHENTICATED)
          << name << " " << method << ": " << status.error_code() << " " << status.error_message();
    }
  }
  EXPECT_EQ(handler_.reached, 0);
}

TEST_F(RightsTest, WhoMayCallCannotPoseAsTheServer) {
  // A worker listens with its own keys, which the run's authority has signed.
  ASSERT_TRUE(rpc::PrepareSecrets(run_, "run-1").ok());
  const rpc::ClientKeys work = KeysOf(Right::kWork);
  const auto impostor =
      rpc::Server::Start("127.0.0.1:0", {runs_.get()},
                         rpc::ServerSecurity{{"run-1", work.authority_certificate, work.client}, MethodRightsOfRun()});
  ASSERT_TRUE(impostor.ok());
  const auto channel = rpc::MakeChannel((*impostor)->address(), KeysOf(Right::kRead));
  EXPECT_EQ(CallAny(channel, "/srlm.v1.RunService/GetStatus", kCallSeconds).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(handler_.reached, 0);
}

TEST_F(RightsTest, WithSecurityOffNoKeysAreMadeAndEverybodyOnThisHostIsServed) {
  Serve(config::Security::kOff);
  EXPECT_FALSE(std::filesystem::exists(run_ + "/secrets"));
  for (const std::string& method : DeclaredMethods())
    EXPECT_TRUE(Call(std::nullopt, method, kCallSeconds).ok()) << method;
}

TEST_F(RightsTest, AnotherAddressThanLoopbackNeedsKeysToo) {
  config::RunConfig config;
  config.coordinator.address = "0.0.0.0:0";
  config.coordinator.advertise = "127.0.0.1";
  auto door = OpenFrontDoor(config, run_, "run-1", {work_.get(), training_.get(), runs_.get()});
  ASSERT_TRUE(door.ok()) << door.status().message();
  door_ = std::move(*door);
  EXPECT_TRUE(Call(KeysOf(Right::kRead), "/srlm.v1.RunService/GetStatus", kCallSeconds).ok());
  EXPECT_FALSE(Call(std::nullopt, "/srlm.v1.RunService/GetStatus", kCallSeconds).ok());
}

}  // namespace
}  // namespace srlm::services
