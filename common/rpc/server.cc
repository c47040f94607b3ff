#include "common/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "common/rpc/address.h"
#include "common/rpc/library_log.h"

namespace srlm::rpc {

MethodRights OwnMethodRights() {
  return {{"/grpc.health.v1.Health/Check", Right::kRead},
          {"/grpc.health.v1.Health/Watch", Right::kRead},
          {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Right::kRead}};
}

Result<std::unique_ptr<Server>> Server::Start(const std::string& address, const std::vector<grpc::Service*>& services,
                                              std::optional<ServerSecurity> security) {
  SRLM_ASSIGN_OR_RETURN(Address at, ParseAddress(address));
  if (!security && !at.IsLoopback())
    return InvalidArgument("address " + at.Text() +
                           ": with security off only loopback addresses are served, because nobody is asked who they "
                           "are; use 127.0.0.1, or leave security on");
  SRLM_RETURN_IF_ERROR(CheckFree(at));
  TakeLibraryLog(true);

  // Both are switches of the library that every server built later heeds; turning them on again does nothing.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else a second server silently shares the port
  // A caller that vanished leaves no stream behind; callers may ask as often as they do.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kKeepaliveMs / 2);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  if (security) security->rights.merge(OwnMethodRights());
  builder.AddListeningPort(at.Text(), ServerCredentials(security), &at.port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || at.port == 0)
    return FailedPrecondition("cannot listen at " + address + "; is the port in use by another program?");
  return std::unique_ptr<Server>(new Server(std::move(server), at.Text()));
}

Server::Server(std::unique_ptr<grpc::Server> server, std::string address)
    : server_(std::move(server)), address_(std::move(address)) {}

Server::~Server() { Shutdown(Deadline::AfterSeconds(0)); }

void Server::Shutdown(Deadline deadline) {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() +
                    std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline.Left()));
  server_->Wait();
  server_.reset();
}

}  // namespace srlm::rpc
