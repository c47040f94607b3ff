// Addresses as `host:port`.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::rpc {

struct Address {
  std::string host;
  int port = 0;  // 0: the system chooses a free one

  std::string Text() const;  // host:port; an IPv6 host in brackets
  bool IsLoopback() const;   // 127.x.x.x, ::1 or localhost
};

/// Reads `host:port`, with an IPv6 host in brackets. InvalidArgument says what is wrong with `text`.
Result<Address> ParseAddress(std::string_view text);

/// Fails with FailedPrecondition when somebody listens at `address` already; gRPC's own answer does not say so.
Status CheckFree(const Address& address);

}  // namespace srlm::rpc
