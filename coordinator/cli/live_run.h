// A run whose coordinator lives: RunService over gRPC.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "coordinator/cli/run_reader.h"
#include "srlm/v1/run.grpc.pb.h"

namespace srlm::cli {

class LiveRun : public RunReader {
 public:
  /// Connects to the coordinator at `address`, host:port, with the keys of `secrets`, a folder of RUN/secrets or a copy
  /// of one; empty: to one whose security is off. Unavailable when nobody answers within kAnswerSeconds.
  static Result<std::unique_ptr<LiveRun>> Connect(const std::string& address, const std::string& secrets);

  Result<v1::RunStatus> Status() override;
  Result<RowPage> List(const std::string& table, int round, int limit, const std::string& page_token) override;

  /// Calls `show` with each change, at most once in `interval_ms`, until it gives false, the coordinator ends, or the
  /// deadline.
  srlm::Status Watch(int interval_ms, std::optional<Deadline> deadline,
                     const std::function<bool(const v1::RunStatus&)>& show);

  /// Asks for `what`: pause, resume or cancel. FailedPrecondition when the run is ending.
  Result<v1::ControlResponse> Steer(const std::string& what, const std::string& who, const std::string& reason);

 private:
  LiveRun(std::string address, std::unique_ptr<v1::RunService::Stub> stub)
      : address_(std::move(address)), stub_(std::move(stub)) {}
  std::string address_;
  std::unique_ptr<v1::RunService::Stub> stub_;
};

}  // namespace srlm::cli
