// Between the wire's items and results and the engine's requests and responses.
#pragma once

#include "common/base/status.h"
#include "srlm/v1/work.pb.h"
#include "worker/engine/request.h"

namespace srlm::worker {

/// InvalidArgument when the item asks for nothing or for something impossible.
Result<Request> ToRequest(const v1::Item& item, uint64_t id);

/// The result of `item`; a failed response becomes a result with an error.
v1::ItemResult ToResult(const v1::Item& item, const std::string& lease_id, const Response& response);

}  // namespace srlm::worker
