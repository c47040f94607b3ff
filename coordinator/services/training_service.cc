#include "coordinator/services/training_service.h"

#include "common/base/failpoint.h"
#include "coordinator/services/answer.h"

namespace srlm::services {

grpc::Status TrainingService::ReportProgress(grpc::ServerContext*, const v1::TrainingProgress* request,
                                             v1::TrainingDirective* response) {
  auto answer = loop_.Call([&] { return handler_.Progress(*request); });
  Failpoint("training.after_progress");
  return Answer(std::move(answer), response);
}

grpc::Status TrainingService::ReportDone(grpc::ServerContext*, const v1::TrainingDone* request,
                                         v1::TrainingAck* response) {
  auto answer = loop_.CallDurably([&] {
    auto done = handler_.Done(*request);
    Failpoint("training.before_done");
    return done;
  });
  Failpoint("training.after_done");
  return Answer(std::move(answer), response);
}

grpc::Status TrainingService::ReportStopped(grpc::ServerContext*, const v1::TrainingStopped* request,
                                            v1::TrainingAck* response) {
  return Answer(loop_.CallDurably([&] { return handler_.Stopped(*request); }), response);
}

grpc::Status TrainingService::ReportFailed(grpc::ServerContext*, const v1::TrainingFailed* request,
                                           v1::TrainingAck* response) {
  return Answer(loop_.CallDurably([&] { return handler_.Failed(*request); }), response);
}

}  // namespace srlm::services
