// A handler's result as a gRPC answer.
#pragma once

#include <utility>

#include "common/rpc/status.h"

namespace srlm::services {

template <class Response>
grpc::Status Answer(Result<Response> result, Response* response) {
  if (!result.ok()) return rpc::ToGrpc(result.status());
  *response = std::move(result).value();
  return grpc::Status::OK;
}

}  // namespace srlm::services
