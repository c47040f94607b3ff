// A gRPC server with health checking and reflection.
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/credentials.h"

namespace srlm::rpc {

/// Largest message that either side takes: a batch of results with their token ids.
inline constexpr int kMaxMessageBytes = 64 << 20;

/// The rights of the methods that every server has beside its services: health and reflection.
MethodRights OwnMethodRights();

/// How long a connection is silent before its other side is asked whether it is there, and for how long.
inline constexpr int kKeepaliveMs = 10000;

class Server {
 public:
  /// Serves `services` (which must outlive it) at `address`, `host:port`; port 0 takes a free one. Without `security`
  /// whoever reaches the port may call everything, so that only loopback addresses are served: InvalidArgument for
  /// others. FailedPrecondition when the port is in use. Health and reflection need the right to read.
  static Result<std::unique_ptr<Server>> Start(const std::string& address, const std::vector<grpc::Service*>& services,
                                               std::optional<ServerSecurity> security);
  ~Server();

  /// Where it listens, with the port that was taken.
  const std::string& address() const { return address_; }

  /// Refuses new calls and waits for those in progress; at the deadline they are cancelled.
  void Shutdown(Deadline deadline);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::string address);
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace srlm::rpc
