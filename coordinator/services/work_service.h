// WorkService over gRPC.
#pragma once

#include "coordinator/schedule/loop.h"
#include "coordinator/services/handlers.h"
#include "srlm/v1/work.grpc.pb.h"

namespace srlm::services {

class WorkService final : public v1::WorkService::Service {
 public:
  /// Both must outlive the server.
  WorkService(schedule::Loop& loop, WorkHandler& handler) : loop_(loop), handler_(handler) {}

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override;
  grpc::Status Lease(grpc::ServerContext* context, const v1::LeaseRequest* request,
                     v1::LeaseResponse* response) override;
  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                     v1::RenewResponse* response) override;
  /// Answered after the results are on disk.
  grpc::Status Submit(grpc::ServerContext* context, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override;
  grpc::Status Leave(grpc::ServerContext* context, const v1::LeaveRequest* request,
                     v1::LeaveResponse* response) override;

 private:
  schedule::Loop& loop_;
  WorkHandler& handler_;
};

}  // namespace srlm::services
