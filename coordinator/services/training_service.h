// TrainingService over gRPC.
#pragma once

#include "coordinator/schedule/loop.h"
#include "coordinator/services/handlers.h"
#include "srlm/v1/training.grpc.pb.h"

namespace srlm::services {

class TrainingService final : public v1::TrainingService::Service {
 public:
  /// Both must outlive the server.
  TrainingService(schedule::Loop& loop, TrainingHandler& handler) : loop_(loop), handler_(handler) {}

  grpc::Status ReportProgress(grpc::ServerContext* context, const v1::TrainingProgress* request,
                              v1::TrainingDirective* response) override;
  /// Answered after it is on disk, as the next two.
  grpc::Status ReportDone(grpc::ServerContext* context, const v1::TrainingDone* request,
                          v1::TrainingAck* response) override;
  grpc::Status ReportStopped(grpc::ServerContext* context, const v1::TrainingStopped* request,
                             v1::TrainingAck* response) override;
  grpc::Status ReportFailed(grpc::ServerContext* context, const v1::TrainingFailed* request,
                            v1::TrainingAck* response) override;

 private:
  schedule::Loop& loop_;
  TrainingHandler& handler_;
};

}  // namespace srlm::services
