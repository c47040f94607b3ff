// What the run is doing, for people: the status and the tables.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "coordinator/rounds/controls.h"
#include "coordinator/rounds/desk.h"
#include "coordinator/rounds/machine.h"

namespace srlm::rounds {

class StatusBoard final : public services::RunHandler {
 public:
  StatusBoard(const Context& context, const Machine& machine, const Desk& desk, Controls& controls);

  // On the coordinator's thread.
  Result<v1::RunStatus> GetStatus() override;
  Result<v1::ListResponse> List(const v1::ListRequest& request) override;
  Result<v1::ControlResponse> Steer(services::Control control, const v1::ControlRequest& request) override;
  /// How the run is: running, paused, done, failed; with why and what to do.
  void SetState(std::string state, std::string message);
  const std::string& state() const { return state_; }
  /// From now on the run is shown as paused for this reason, without a look at the ledger; empty: as it is again.
  void ShowWaiting(const std::string& reason);
  /// Makes the snapshot new, at most a few times a second unless `now`.
  void Publish(bool now);
  /// Makes the snapshot that stays: the run ends here.
  void PublishLast();

  // From any thread.
  v1::RunStatus Snapshot() const override;
  v1::RunStatus LastSnapshot(Deadline deadline) const override;

 private:
  /// Figures that are counted over the ledger's rows: made anew when they are old enough for what they cost.
  Status Recount();
  Status CountHealth();

  const Context& context_;
  const Machine& machine_;
  const Desk& desk_;
  Controls& controls_;
  Clock::time_point began_ = Clock::now();
  std::string state_ = "running";
  std::string message_;
  std::string waiting_;    // for what
  v1::RunStatus counted_;  // rounds, health, last_errors
  Clock::time_point count_after_{};
  Clock::time_point publish_after_{};

  mutable std::mutex mutex_;  // guards snapshot_, last_
  mutable std::condition_variable ended_;
  v1::RunStatus snapshot_;
  bool last_ = false;  // nothing comes after this snapshot
};

}  // namespace srlm::rounds
