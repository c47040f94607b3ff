#include "coordinator/services/run_service.h"

#include <algorithm>

#include "coordinator/services/answer.h"

namespace srlm::services {
namespace {

constexpr std::chrono::milliseconds kLongestWait(200);  // how late a caller that left is noticed
constexpr std::chrono::seconds kLongestEnd(30);         // from the loop's end to the last word

// What makes a status new: all but the clocks in it.
std::string WithoutClocks(v1::RunStatus status) {
  status.clear_seconds();
  status.mutable_progress()->clear_seconds();
  status.mutable_progress()->clear_remaining_seconds();
  for (v1::WorkerStatus& worker : *status.mutable_workers()) worker.clear_seconds_since_heard();
  status.clear_health();  // a map has no fixed order; it changes only when the votes do
  for (v1::RoundSummary& round : *status.mutable_rounds()) round.clear_health();  // likewise
  return status.SerializeAsString();
}

}  // namespace

grpc::Status RunService::GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::RunStatus* response) {
  const Result<v1::RunStatus> status = loop_.Call([&] { return handler_.GetStatus(); });
  *response = status.ok() ? *status : handler_.Snapshot();  // the coordinator is ending, or waits for room
  return grpc::Status::OK;
}

grpc::Status RunService::WatchStatus(grpc::ServerContext* context, const v1::WatchStatusRequest* request,
                                     grpc::ServerWriter<v1::RunStatus>* writer) {
  const std::chrono::milliseconds interval(request->interval_ms() == 0 ? 1000 : request->interval_ms());
  std::string last;
  const auto send = [&](const v1::RunStatus& status) {
    std::string now = WithoutClocks(status);
    const bool sent = now == last || writer->Write(status);
    last = std::move(now);
    return sent;
  };
  bool ended = false;
  while (!ended && !context->IsCancelled()) {
    Result<v1::RunStatus> status = loop_.Call([&] { return handler_.GetStatus(); });
    if (status.status().code() == Code::kResourceExhausted) status = handler_.Snapshot();  // the loop waits for room
    if (!status.ok()) break;
    if (!send(*status)) return grpc::Status::OK;
    const Deadline next = Deadline::After(interval);
    while (!ended && !next.Expired() && !context->IsCancelled()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(next.Left()) + std::chrono::milliseconds(1);
      ended = loop_.WaitEnded(std::min(left, kLongestWait));
    }
  }
  // How it ended is known when the groups are gone, too.
  if (!context->IsCancelled()) send(handler_.LastSnapshot(Deadline::After(kLongestEnd)));
  return grpc::Status::OK;
}

grpc::Status RunService::List(grpc::ServerContext*, const v1::ListRequest* request, v1::ListResponse* response) {
  return Answer(loop_.CallForReading([&] { return handler_.List(*request); }), response);
}

grpc::Status RunService::Pause(grpc::ServerContext*, const v1::ControlRequest* request, v1::ControlResponse* response) {
  return Answer(loop_.CallUrgently([&] { return handler_.Steer(Control::kPause, *request); }), response);
}

grpc::Status RunService::Resume(grpc::ServerContext*, const v1::ControlRequest* request,
                                v1::ControlResponse* response) {
  return Answer(loop_.CallUrgently([&] { return handler_.Steer(Control::kResume, *request); }), response);
}

grpc::Status RunService::Cancel(grpc::ServerContext*, const v1::ControlRequest* request,
                                v1::ControlResponse* response) {
  return Answer(loop_.CallUrgently([&] { return handler_.Steer(Control::kCancel, *request); }), response);
}

}  // namespace srlm::services
