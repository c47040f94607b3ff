// Our statuses and gRPC's: the codes are the same, the message crosses unchanged.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "common/base/status.h"

namespace srlm::rpc {

grpc::Status ToGrpc(const Status& status);

/// `what` (the call and the address) goes before the message of a failure. Codes that we do not know become internal.
Status FromGrpc(const grpc::Status& status, std::string_view what);

}  // namespace srlm::rpc
