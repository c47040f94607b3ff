#include "coordinator/services/training_service.h"

#include "coordinator/services/answer.h"

namespace srlm::services {

grpc::Status TrainingService::ReportProgress(grpc::ServerContext*, const v1::TrainingProgress* request,
                                             v1::TrainingDirective* response) {
  return Answer(loop_.Call([&] { return handler_.Progress(*request); }), response);
}

grpc::Status TrainingService::ReportDone(grpc::ServerContext*, const v1::TrainingDone* request,
                                         v1::TrainingAck* response) {
  return Answer(loop_.CallDurably([&] { return handler_.Done(*request); }), response);
}

grpc::Status TrainingService::ReportFailed(grpc::ServerContext*, const v1::TrainingFailed* request,
                                           v1::TrainingAck* response) {
  return Answer(loop_.CallDurably([&] { return handler_.Failed(*request); }), response);
}

}  // namespace srlm::services
