// gRPC's own log lines, which it would write to stderr in a form of its own.
#pragma once

namespace srlm::rpc {

/// Takes them over: a server's go into our log, at most one a second, since anybody who reaches the port can cause
/// them; a client's are dropped, as the statuses of its calls say the same. Where GRPC_VERBOSITY is set they stay as
/// they are. Idempotent.
void TakeLibraryLog(bool serves);

}  // namespace srlm::rpc
