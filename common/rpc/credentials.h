// Who may talk to whom: mutual TLS with the keys of a run, or nothing at all where a run chose that.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>

#include "common/rpc/right.h"
#include "common/rpc/run_secrets.h"

namespace srlm::rpc {

/// What a server asks of its callers: a certificate of its run, and for each method the right that this certificate
/// names. A method that `rights` does not list is refused to everybody.
struct ServerSecurity {
  ServerKeys keys;
  MethodRights rights;
};

/// None (`security: off`): calls are neither encrypted nor checked.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const std::optional<ServerSecurity>& security);
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const std::optional<ClientKeys>& keys);

}  // namespace srlm::rpc
