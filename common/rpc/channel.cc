#include "common/rpc/channel.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>

#include "common/rpc/credentials.h"
#include "common/rpc/library_log.h"
#include "common/rpc/server.h"

namespace srlm::rpc {
namespace {

std::chrono::system_clock::time_point SystemTime(Deadline deadline) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline.Left());
}

// Why a channel that is not connected is not: a call that does not wait fails with the last try's reason.
std::string Refusal(grpc::Channel& channel) {
  const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  SetDeadline(context, 0.5);
  const grpc::Slice nothing;
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer answer;
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      &channel, method, &context, request, &answer);
  if (status.ok()) return "it came too late";
  constexpr std::string_view kReason = "last error: ";
  const size_t reason = status.error_message().find(kReason);
  return reason == std::string::npos ? status.error_message() : status.error_message().substr(reason + kReason.size());
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const std::optional<ClientKeys>& keys) {
  TakeLibraryLog(false);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);  // what one try may take: it sends once more after 1 s
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A connection over a link that was cut looks alive for many minutes: it is asked, and made anew.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // ranks talk to each other, never through a proxy
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // The server's certificate names the run and no host: hosts change with each start.
  if (keys) arguments.SetSslTargetNameOverride(keys->run_id);
  return grpc::CreateCustomChannel(address, ChannelCredentials(keys), arguments);
}

Result<std::shared_ptr<grpc::Channel>> MakeRunChannel(const std::string& run_dir, const RunAddress& address,
                                                      Right right) {
  if (!address.secure) return MakeChannel(address.address, std::nullopt);
  SRLM_ASSIGN_OR_RETURN(ClientKeys keys, ReadKeys(SecretsFolder(run_dir, right)));
  if (keys.run_id != address.run_id)
    return FailedPrecondition(fmt::format("{}: keys of run {}, and the coordinator of {} has run {}", keys.folder,
                                          keys.run_id, run_dir, address.run_id));
  return MakeChannel(address.address, std::move(keys));
}

Status WaitConnected(grpc::Channel& channel, const std::string& address, Deadline deadline) {
  if (channel.WaitForConnected(SystemTime(deadline))) return OkStatus();
  return Unavailable(fmt::format("nobody answers at {} ({})", address, Refusal(channel)));
}

bool AwaitConnection(grpc::Channel& channel, Deadline deadline) {
  if (channel.GetState(true) == GRPC_CHANNEL_READY) return false;
  channel.WaitForConnected(SystemTime(deadline));
  return true;
}

void SetDeadline(grpc::ClientContext& context, double seconds) {
  context.set_deadline(SystemTime(Deadline::AfterSeconds(seconds)));
}

}  // namespace srlm::rpc
