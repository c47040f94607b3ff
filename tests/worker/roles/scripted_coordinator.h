// A coordinator whose answers a test writes: a real gRPC server of WorkService on a free port.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/rpc/server.h"
#include "srlm/v1/work.grpc.pb.h"

namespace srlm::worker {

/// Folder and id of one of the tiny models of tests/reference/models.
v1::ModelRef TinyModel(const std::string& name);

/// A lease of `items` with the models they name.
v1::LeaseResponse Lease(const std::string& lease_id, const std::vector<v1::Item>& items,
                        const std::vector<v1::ModelRef>& models);
v1::LeaseResponse Wait(bool release_cores = false);
v1::LeaseResponse LeaveNow();

class ScriptedCoordinator final : public v1::WorkService::Service {
 public:
  /// What it is asked, and what happened, in order. Answers are given under the lock: they may look at the record.
  struct Record {
    uint64_t epoch = 1;  // requests of a lower one are refused
    std::vector<v1::RegisterRequest> registers;
    std::vector<v1::LeaseRequest> leases;
    std::vector<v1::RenewRequest> renews;
    std::vector<v1::SubmitRequest> submits;
    std::vector<v1::LeaveRequest> leaves;
    std::vector<v1::ItemResult> stored;  // of the submits that were answered with OK
  };
  struct Answers {
    v1::RegisterResponse registration = {};
    std::function<v1::LeaseResponse(Record&)> lease = [](Record&) { return LeaveNow(); };
    std::function<v1::RenewResponse(Record&)> renew = [](Record&) { return v1::RenewResponse(); };
    std::function<grpc::Status(Record&)> submit = [](Record&) { return grpc::Status::OK; };
  };

  /// Serves at once and writes RUN/coordinator.json.
  ScriptedCoordinator(const std::string& run_dir, Answers answers);
  ~ScriptedCoordinator() override { Stop(); }

  /// Waits until `happened` is true of the record; false after 20 s.
  bool Await(const std::function<bool(const Record&)>& happened);
  Record record() const;
  /// Publishes a new epoch, as the next coordinator would; call it from an answer.
  void TakeOver(Record& record, uint64_t epoch);
  /// The same from anywhere else.
  void PublishEpoch(uint64_t epoch);
  void Stop();

 private:
  template <class Request>
  grpc::Status Note(const Request& request, std::vector<Request> Record::* where);

  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest*, v1::RegisterResponse*) override;
  grpc::Status Lease(grpc::ServerContext*, const v1::LeaseRequest*, v1::LeaseResponse*) override;
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest*, v1::RenewResponse*) override;
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest*, v1::SubmitResponse*) override;
  grpc::Status Leave(grpc::ServerContext*, const v1::LeaveRequest*, v1::LeaveResponse*) override;

  const std::string run_dir_;
  const Answers answers_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Record record_;  // guarded by mutex_
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace srlm::worker
