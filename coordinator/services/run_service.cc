#include "coordinator/services/run_service.h"

#include <algorithm>

#include "coordinator/services/answer.h"

namespace srlm::services {
namespace {

constexpr std::chrono::milliseconds kLongestWait(200);  // how late a caller that left is noticed

// What makes a status new: all but the clocks in it.
std::string WithoutClocks(v1::RunStatus status) {
  status.clear_seconds();
  status.mutable_progress()->clear_seconds();
  status.mutable_progress()->clear_remaining_seconds();
  for (v1::WorkerStatus& worker : *status.mutable_workers()) worker.clear_seconds_since_heard();
  status.clear_health();  // a map has no fixed order; it changes only when the votes do
  return status.SerializeAsString();
}

}  // namespace

grpc::Status RunService::GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::RunStatus* response) {
  return Answer(loop_.Call([&] { return handler_.GetStatus(); }), response);
}

grpc::Status RunService::WatchStatus(grpc::ServerContext* context, const v1::WatchStatusRequest* request,
                                     grpc::ServerWriter<v1::RunStatus>* writer) {
  const std::chrono::milliseconds interval(request->interval_ms() == 0 ? 1000 : request->interval_ms());
  std::string last;
  while (!context->IsCancelled()) {
    const Result<v1::RunStatus> status = loop_.Call([&] { return handler_.GetStatus(); });
    if (!status.ok()) return grpc::Status::OK;  // the coordinator ended
    std::string now = WithoutClocks(*status);
    if (now != last && !writer->Write(*status)) break;
    last = std::move(now);
    const Deadline next = Deadline::After(interval);
    while (!next.Expired() && !context->IsCancelled()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(next.Left()) + std::chrono::milliseconds(1);
      if (loop_.WaitEnded(std::min(left, kLongestWait))) return grpc::Status::OK;
    }
  }
  return grpc::Status::OK;
}

grpc::Status RunService::List(grpc::ServerContext*, const v1::ListRequest* request, v1::ListResponse* response) {
  return Answer(loop_.Call([&] { return handler_.List(*request); }), response);
}

}  // namespace srlm::services
