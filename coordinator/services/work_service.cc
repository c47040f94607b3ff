#include "coordinator/services/work_service.h"

#include "common/base/failpoint.h"
#include "coordinator/services/answer.h"

namespace srlm::services {

grpc::Status WorkService::Register(grpc::ServerContext*, const v1::RegisterRequest* request,
                                   v1::RegisterResponse* response) {
  return Answer(loop_.Call([&] { return handler_.Register(*request); }), response);
}

grpc::Status WorkService::Lease(grpc::ServerContext*, const v1::LeaseRequest* request, v1::LeaseResponse* response) {
  auto answer = loop_.Call([&] { return handler_.Lease(*request); });
  Failpoint("lease.before_answer");
  return Answer(std::move(answer), response);
}

grpc::Status WorkService::Renew(grpc::ServerContext*, const v1::RenewRequest* request, v1::RenewResponse* response) {
  return Answer(loop_.Call([&] { return handler_.Renew(*request); }), response);
}

grpc::Status WorkService::Submit(grpc::ServerContext*, const v1::SubmitRequest* request, v1::SubmitResponse* response) {
  auto answer = loop_.CallDurably([&] {
    auto counts = handler_.Submit(*request);
    Failpoint("submit.before_commit");
    return counts;
  });
  Failpoint("submit.after_commit");
  return Answer(std::move(answer), response);
}

grpc::Status WorkService::Leave(grpc::ServerContext*, const v1::LeaveRequest* request, v1::LeaveResponse* response) {
  return Answer(loop_.Call([&] { return handler_.Leave(*request); }), response);
}

}  // namespace srlm::services
