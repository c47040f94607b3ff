// A call of any method, known by its path alone.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

namespace srlm::services {

/// Calls `method` with an empty request. OK when an answer came, also when it is the first of a stream, which is then
/// cancelled; else the status that the call ended with. It ends within `seconds`.
grpc::Status CallAny(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, double seconds);

}  // namespace srlm::services
