// Where workers and trainers call: checks what they say and passes it on to the loop.
#pragma once

#include "coordinator/rounds/context.h"
#include "coordinator/rounds/machine.h"
#include "coordinator/services/handlers.h"

namespace srlm::rounds {

class Desk final : public services::WorkHandler, public services::TrainingHandler {
 public:
  Desk(const Context& context, Machine& machine) : context_(context), machine_(machine) {}

  Result<v1::RegisterResponse> Register(const v1::RegisterRequest& request) override;
  Result<v1::LeaseResponse> Lease(const v1::LeaseRequest& request) override;
  Result<v1::RenewResponse> Renew(const v1::RenewRequest& request) override;
  Result<v1::SubmitResponse> Submit(const v1::SubmitRequest& request) override;
  Result<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) override;

  Result<v1::TrainingDirective> Progress(const v1::TrainingProgress& progress) override;
  Result<v1::TrainingAck> Done(const v1::TrainingDone& done) override;
  Result<v1::TrainingAck> Stopped(const v1::TrainingStopped& stopped) override;
  Result<v1::TrainingAck> Failed(const v1::TrainingFailed& failed) override;

  /// A failure of the ledger while a call was served: the run cannot go on.
  const Status& failure() const { return failure_; }
  /// Late results that were dropped, since the run began.
  uint64_t duplicates() const { return duplicates_; }
  void set_duplicates(uint64_t duplicates) { duplicates_ = duplicates; }
  /// Reports of training steps so far.
  uint64_t training_reports() const { return training_reports_; }

 private:
  Status CheckEpoch(uint64_t epoch) const;
  Result<schedule::Worker*> WorkerOf(const std::string& worker_id);
  template <class Report>
  Result<Training*> TrainingOf(const Report& report);
  void NoteStats(schedule::Worker& worker, const v1::WorkerStats& stats);
  void NoteProgress(schedule::Worker& worker);
  Status CheckArithmetic(const v1::RegisterRequest& request);
  bool MustLeave(const schedule::Worker& worker) const;
  Result<const v1::Item*> Completed(const std::string& item_id);
  Status Take(const v1::ItemResult& result, const std::string& worker_id, v1::SubmitResponse& counts);
  template <class T>
  Result<T> Keep(const Status& status, T value);
  /// An answer of this coordinator.
  template <class T>
  T Answer() const {
    T answer;
    answer.set_epoch(context_.epoch);
    return answer;
  }

  const Context& context_;
  Machine& machine_;
  Status failure_;
  uint64_t duplicates_ = 0;
  uint64_t training_reports_ = 0;
};

}  // namespace srlm::rounds
