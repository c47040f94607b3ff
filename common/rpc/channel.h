// Channels to a server, and calls with a deadline.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/run_address.h"
#include "common/rpc/run_secrets.h"
#include "common/rpc/status.h"

namespace srlm::rpc {

/// A channel to `host:port`. It connects when first used, and again after a loss within a second. With `keys` it is
/// encrypted, and whoever answers must be the server of the keys' run; without, it speaks to a server whose security is
/// off.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const std::optional<ClientKeys>& keys);

/// A channel to the coordinator of the run at `run_dir`, with the run's keys for `right` as they are now. Fails as
/// ReadKeys does.
Result<std::shared_ptr<grpc::Channel>> MakeRunChannel(const std::string& run_dir, const RunAddress& address,
                                                      Right right);

/// Waits until the channel is connected. Unavailable, with the address and what went wrong last, at the deadline.
Status WaitConnected(grpc::Channel& channel, const std::string& address, Deadline deadline);

/// Gives a lost connection until the deadline to come back; false, at once, when it is there. To be called between
/// calls that fail: gRPC takes the steps of connecting only while somebody waits, and calls that fail at once do not.
bool AwaitConnection(grpc::Channel& channel, Deadline deadline);

/// Gives a call `seconds` to be answered.
void SetDeadline(grpc::ClientContext& context, double seconds);

/// One call: `Call(*stub, &WorkService::Stub::Lease, request, 10, "Lease")`. A failure carries `what` (the call's
/// name, the address) before the server's message; DeadlineExceeded after `seconds`, Unavailable when nobody answers,
/// or one that has lost the run does: where messages carry epochs, an answer of a lower one than the request's is none.
template <class Stub, class Request, class Response>
Result<Response> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request, double seconds, std::string_view what) {
  grpc::ClientContext context;
  SetDeadline(context, seconds);
  Response response;
  if (const grpc::Status status = (stub.*method)(&context, request, &response); !status.ok())
    return FromGrpc(status, what);
  if constexpr (requires { request.epoch() < response.epoch(); }) {
    if (response.epoch() != 0 && response.epoch() < request.epoch())
      return Unavailable(std::string(what) + ": answered by a coordinator that has lost the run");
  }
  return response;
}

}  // namespace srlm::rpc
