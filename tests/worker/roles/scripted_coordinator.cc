#include "tests/worker/roles/scripted_coordinator.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/base/manifest.h"
#include "common/rpc/run_address.h"

namespace srlm::worker {

v1::ModelRef TinyModel(const std::string& name) {
  v1::ModelRef model;
  model.set_folder(std::string(std::getenv("SRLM_SOURCE")) + "/tests/reference/models/" + name);
  const auto manifest = HashModelFolder(model.folder());
  EXPECT_TRUE(manifest.ok()) << manifest.status().message();
  model.set_model_id(manifest->ModelId());
  return model;
}

v1::LeaseResponse Lease(const std::string& lease_id, const std::vector<v1::Item>& items,
                        const std::vector<v1::ModelRef>& models) {
  v1::LeaseResponse lease;
  lease.set_directive(v1::DIRECTIVE_WORK);
  lease.set_lease_id(lease_id);
  for (const v1::Item& item : items) *lease.add_items() = item;
  for (const v1::ModelRef& model : models) *lease.add_models() = model;
  return lease;
}

v1::LeaseResponse Wait(bool release_cores) {
  v1::LeaseResponse lease;
  lease.set_directive(v1::DIRECTIVE_WAIT);
  lease.set_release_cores(release_cores);
  lease.set_retry_after_ms(10);
  return lease;
}

v1::LeaseResponse LeaveNow() {
  v1::LeaseResponse lease;
  lease.set_directive(v1::DIRECTIVE_LEAVE);
  return lease;
}

ScriptedCoordinator::ScriptedCoordinator(const std::string& run_dir, Answers answers)
    : run_dir_(run_dir), answers_(std::move(answers)) {
  auto server = rpc::Server::Start("127.0.0.1:0", {this}, std::nullopt);
  EXPECT_TRUE(server.ok()) << server.status().message();
  server_ = std::move(server).value();
  PublishEpoch(1);
}

bool ScriptedCoordinator::Await(const std::function<bool(const Record&)>& happened) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return happened(record_); });
}

ScriptedCoordinator::Record ScriptedCoordinator::record() const {
  const std::lock_guard lock(mutex_);
  return record_;
}

void ScriptedCoordinator::TakeOver(Record& record, uint64_t epoch) {
  record.epoch = epoch;
  EXPECT_TRUE(rpc::WriteRunAddress(run_dir_, {"test", server_->address(), epoch, "here", 1, false}).ok());
}

void ScriptedCoordinator::PublishEpoch(uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  TakeOver(record_, epoch);
}

void ScriptedCoordinator::Stop() {
  if (server_) server_->Shutdown(Deadline::AfterSeconds(5));
  server_.reset();
}

template <class Request>
grpc::Status ScriptedCoordinator::Note(const Request& request, std::vector<Request> Record::* where) {
  (record_.*where).push_back(request);
  changed_.notify_all();
  if (request.epoch() >= record_.epoch) return grpc::Status::OK;
  return {grpc::StatusCode::FAILED_PRECONDITION, "the run has a newer coordinator"};
}

grpc::Status ScriptedCoordinator::Register(grpc::ServerContext*, const v1::RegisterRequest* request,
                                           v1::RegisterResponse* response) {
  const std::lock_guard lock(mutex_);
  *response = answers_.registration;
  response->set_worker_id("worker-" + std::to_string(record_.registers.size() + 1));
  response->set_lease_timeout_ms(60000);
  response->set_heartbeat_ms(1);
  return Note(*request, &Record::registers);
}

grpc::Status ScriptedCoordinator::Lease(grpc::ServerContext*, const v1::LeaseRequest* request,
                                        v1::LeaseResponse* response) {
  const std::lock_guard lock(mutex_);
  const grpc::Status status = Note(*request, &Record::leases);
  if (status.ok()) *response = answers_.lease(record_);
  return status;
}

grpc::Status ScriptedCoordinator::Renew(grpc::ServerContext*, const v1::RenewRequest* request,
                                        v1::RenewResponse* response) {
  const std::lock_guard lock(mutex_);
  const grpc::Status status = Note(*request, &Record::renews);
  if (status.ok()) *response = answers_.renew(record_);
  return status;
}

grpc::Status ScriptedCoordinator::Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                                         v1::SubmitResponse* response) {
  const std::lock_guard lock(mutex_);
  if (const grpc::Status answer = answers_.submit(record_); !answer.ok()) {
    Note(*request, &Record::submits);
    return answer;
  }
  const grpc::Status status = Note(*request, &Record::submits);
  if (!status.ok()) return status;
  for (const v1::ItemResult& result : request->results()) record_.stored.push_back(result);
  response->set_stored(static_cast<uint32_t>(request->results_size()));
  changed_.notify_all();
  return status;
}

grpc::Status ScriptedCoordinator::Leave(grpc::ServerContext*, const v1::LeaveRequest* request, v1::LeaveResponse*) {
  const std::lock_guard lock(mutex_);
  return Note(*request, &Record::leaves);
}

}  // namespace srlm::worker
