// The worker's side of WorkService, on a thread of its own: it registers, leases, renews and submits, and goes on
// trying when the coordinator is away.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/run_address.h"
#include "srlm/v1/work.grpc.pb.h"
#include "worker/roles/mailbox.h"
#include "worker/roles/replica.h"

namespace srlm::worker {

/// What a replica is, as it registers.
struct ReplicaIdentity {
  int ranks = 1;
  std::string arithmetic_id;  // equal ids compute equal bits
};

class CoordinatorLink {
 public:
  /// Reads RUN/coordinator.json and registers. Unavailable when nobody answers within options.start_timeout_s.
  static Result<std::unique_ptr<CoordinatorLink>> Connect(const ReplicaOptions& options,
                                                          const ReplicaIdentity& identity, Mailbox& mailbox);
  ~CoordinatorLink();

  /// How the run's configuration wants the engine.
  const v1::EngineOptions& engine_options() const { return registration_.engine(); }
  /// Starts the thread.
  void Start();
  /// Waits for the thread, which Mailbox::Close or a failure ends: then every result is submitted and the coordinator
  /// knows that this worker left; or the failure says why not, and the results are saved for the next worker.
  Status Finish();

 private:
  CoordinatorLink(const ReplicaOptions& options, ReplicaIdentity identity, Mailbox& mailbox)
      : options_(options), identity_(std::move(identity)), mailbox_(mailbox) {}

  Status Register(double timeout_s);
  void Loop();
  Status Exchange();  // what is due: submit, lease, renew
  Status SubmitResults();
  Status SubmitBatch(const std::vector<v1::ItemResult>& results);
  Status SubmitSaved();  // what workers before could not hand in
  Status LeaseItems();
  Status RenewLeases();
  void Obey(v1::Directive directive, bool release_cores);
  void SayGoodbye(const std::string& reason);
  bool Recover(const Status& status);  // false: given up
  void SaveUnacknowledged();
  double OrphanTimeoutS() const;
  v1::WorkerStats Stats();

  const ReplicaOptions options_;
  const ReplicaIdentity identity_;
  Mailbox& mailbox_;
  rpc::RunAddress address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::WorkService::Stub> stub_;
  v1::RegisterResponse registration_;
  std::thread thread_;

  std::optional<Clock::time_point> failing_since_;  // the first failed call since the last answer
  bool saved_submitted_ = false;
  Clock::time_point next_lease_ = Clock::now();  // not before
  Clock::time_point renewed_ = Clock::now();
  uint64_t renewed_progress_ = 0;
  std::set<std::string> leases_;                                  // with items that are not submitted yet
  std::deque<std::pair<Clock::time_point, uint64_t>> generated_;  // for tokens per second
};

}  // namespace srlm::worker
