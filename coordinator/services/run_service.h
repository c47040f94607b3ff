// RunService over gRPC.
#pragma once

#include "coordinator/schedule/loop.h"
#include "coordinator/services/handlers.h"
#include "srlm/v1/run.grpc.pb.h"

namespace srlm::services {

class RunService final : public v1::RunService::Service {
 public:
  /// Both must outlive the server.
  RunService(schedule::Loop& loop, RunHandler& handler) : loop_(loop), handler_(handler) {}

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::RunStatus* response) override;
  /// Ends when the caller goes away or the coordinator ends; the last status is sent before that.
  grpc::Status WatchStatus(grpc::ServerContext* context, const v1::WatchStatusRequest* request,
                           grpc::ServerWriter<v1::RunStatus>* writer) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListRequest* request, v1::ListResponse* response) override;
  // Answered after they are on disk.
  grpc::Status Pause(grpc::ServerContext* context, const v1::ControlRequest* request,
                     v1::ControlResponse* response) override;
  grpc::Status Resume(grpc::ServerContext* context, const v1::ControlRequest* request,
                      v1::ControlResponse* response) override;
  grpc::Status Cancel(grpc::ServerContext* context, const v1::ControlRequest* request,
                      v1::ControlResponse* response) override;

 private:
  schedule::Loop& loop_;
  RunHandler& handler_;
};

}  // namespace srlm::services
