#include "common/rpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>

#include "common/rpc/credentials.h"
#include "common/rpc/server.h"

namespace srlm::rpc {
namespace {

std::chrono::system_clock::time_point SystemTime(Deadline deadline) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline.Left());
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // ranks talk to each other, never through a proxy
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(address, ChannelCredentials(), arguments);
}

Status WaitConnected(grpc::Channel& channel, const std::string& address, Deadline deadline) {
  if (channel.WaitForConnected(SystemTime(deadline))) return OkStatus();
  return Unavailable("nobody answers at " + address);
}

void SetDeadline(grpc::ClientContext& context, double seconds) {
  context.set_deadline(SystemTime(Deadline::AfterSeconds(seconds)));
}

}  // namespace srlm::rpc
