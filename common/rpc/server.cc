#include "common/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "common/rpc/address.h"
#include "common/rpc/credentials.h"

namespace srlm::rpc {

Result<std::unique_ptr<Server>> Server::Start(const std::string& address, const std::vector<grpc::Service*>& services) {
  SRLM_ASSIGN_OR_RETURN(Address at, ParseAddress(address));
  if (!at.IsLoopback())
    return InvalidArgument("address " + at.Text() +
                           ": only loopback addresses are served, because calls are not encrypted; use 127.0.0.1");
  SRLM_RETURN_IF_ERROR(CheckFree(at));

  // Both are switches of the library that every server built later heeds; turning them on again does nothing.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else a second server silently shares the port
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddListeningPort(at.Text(), ServerCredentials(), &at.port);
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
