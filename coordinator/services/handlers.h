// What the services pass their calls to. Every function is called on the coordinator's loop; none waits.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"
#include "srlm/v1/run.pb.h"
#include "srlm/v1/training.pb.h"
#include "srlm/v1/work.pb.h"

namespace srlm::services {

/// proto/srlm/v1/work.proto, call by call.
class WorkHandler {
 public:
  virtual ~WorkHandler() = default;
  virtual Result<v1::RegisterResponse> Register(const v1::RegisterRequest& request) = 0;
  virtual Result<v1::LeaseResponse> Lease(const v1::LeaseRequest& request) = 0;
  virtual Result<v1::RenewResponse> Renew(const v1::RenewRequest& request) = 0;
  virtual Result<v1::SubmitResponse> Submit(const v1::SubmitRequest& request) = 0;
  virtual Result<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) = 0;
};

/// proto/srlm/v1/training.proto.
class TrainingHandler {
 public:
  virtual ~TrainingHandler() = default;
  virtual Result<v1::TrainingDirective> Progress(const v1::TrainingProgress& progress) = 0;
  virtual Result<v1::TrainingAck> Done(const v1::TrainingDone& done) = 0;
  virtual Result<v1::TrainingAck> Stopped(const v1::TrainingStopped& stopped) = 0;
  virtual Result<v1::TrainingAck> Failed(const v1::TrainingFailed& failed) = 0;
};

/// What a person can ask of a run.
enum class Control { kPause, kResume, kCancel };

/// proto/srlm/v1/run.proto.
class RunHandler {
 public:
  virtual ~RunHandler() = default;
  virtual Result<v1::RunStatus> GetStatus() = 0;
  virtual Result<v1::ListResponse> List(const v1::ListRequest& request) = 0;
  /// Also called while the loop waits for room (schedule/loop.h, CallUrgently): without the ledger then.
  virtual Result<v1::ControlResponse> Steer(Control control, const v1::ControlRequest& request) = 0;

  // From any thread, also after the loop has ended.
  /// The status as last published.
  virtual v1::RunStatus Snapshot() const = 0;
  /// The last one that will be published, or at the deadline the newest.
  virtual v1::RunStatus LastSnapshot(Deadline deadline) const = 0;
};

}  // namespace srlm::services
