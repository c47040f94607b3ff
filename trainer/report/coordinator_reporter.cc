#include "trainer/report/coordinator_reporter.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/rpc/channel.h"
#include "common/rpc/run_address.h"
#include "srlm/v1/training.grpc.pb.h"

namespace srlm::trainer {
namespace {

constexpr double kConnectSeconds = 10;
constexpr double kCallSeconds = 10;
constexpr double kDoneSeconds = 300;  // a finished model is reported until somebody has recorded it
constexpr auto kRetryPause = std::chrono::seconds(1);
constexpr auto kStepPause = std::chrono::milliseconds(100);  // what a step gives a lost connection

using Stub = v1::TrainingService::Stub;

class CoordinatorReporter : public Reporter {
 public:
  CoordinatorReporter(std::string run_dir, std::string job_id, std::string launch_id)
      : run_dir_(std::move(run_dir)), job_id_(std::move(job_id)), launch_id_(std::move(launch_id)) {}

  Status Connect() {
    SRLM_ASSIGN_OR_RETURN(address_, rpc::ReadRunAddress(run_dir_));
    SRLM_ASSIGN_OR_RETURN(channel_, rpc::MakeRunChannel(run_dir_, address_, rpc::Right::kWork));
    stub_ = v1::TrainingService::NewStub(channel_);
    SRLM_RETURN_IF_ERROR(rpc::WaitConnected(*channel_, address_.address, Deadline::AfterSeconds(kConnectSeconds)));
    Failpoint("trainer.connected");
    return OkStatus();
  }

  void Note(const std::string& text) override { notes_.push_back(text); }

  Result<bool> Step(const StepValues& values) override {
    auto progress = Message<v1::TrainingProgress>();
    progress.set_step(static_cast<uint64_t>(values.step));
    progress.set_total_steps(static_cast<uint64_t>(values.total_steps));
    progress.set_loss(values.loss);
    progress.set_learning_rate(values.learning_rate);
    progress.set_grad_norm(values.grad_norm);
    progress.set_rewards_chosen(values.rewards_chosen);
    progress.set_rewards_rejected(values.rewards_rejected);
    progress.set_margin(values.margin);
    progress.set_accuracy(values.accuracy);
    progress.set_logp_chosen(values.logp_chosen);
    progress.set_logp_rejected(values.logp_rejected);
    progress.set_tokens(static_cast<uint64_t>(values.tokens));
    progress.set_seconds(values.seconds);
    progress.set_total_tokens(static_cast<uint64_t>(values.total_tokens));
    progress.set_total_seconds(values.total_seconds);
    progress.set_first_loss(values.first_loss);
    progress.mutable_notes()->Assign(notes_.begin(), notes_.end());
    Failpoint("trainer.before_report");
    auto answer = rpc::Call(*stub_, &Stub::ReportProgress, progress, kCallSeconds, "ReportProgress");
    Failpoint("trainer.after_report");
    if (answer.ok()) {
      notes_.clear();
      untold_.reset();
      return answer->stop();
    }
    if (!Silent(answer.status())) return answer.status();
    untold_ = std::move(progress);
    LogWarning("report_failed", {{"step", values.step}, {"reason", answer.status().message()}});
    FindCoordinatorAgain();
    (void)rpc::AwaitConnection(*channel_, Deadline::After(kStepPause));
    return false;  // a coordinator that is away costs no step
  }

  Status Done(const JobResult& result) override {
    Deadline deadline = Deadline::AfterSeconds(kDoneSeconds);
    while (true) {
      const Status told = TellLastStep();
      auto done = Message<v1::TrainingDone>();
      done.set_model_folder(result.model_folder);
      done.set_model_id(result.model_id);
      done.set_steps(static_cast<uint64_t>(result.steps));
      done.set_tokens(static_cast<uint64_t>(result.tokens));
      done.set_seconds(result.seconds);
      done.mutable_notes()->Assign(notes_.begin(), notes_.end());
      Failpoint("trainer.before_done");
      const auto answer = !told.ok() ? Result<v1::TrainingAck>(told)
                                     : rpc::Call(*stub_, &Stub::ReportDone, done, kCallSeconds, "ReportDone");
      Failpoint("trainer.after_done");
      if (answer.ok() || !Silent(answer.status()) || deadline.Expired()) return answer.status();
      if (WaitsForRoom(answer.status())) deadline = Deadline::AfterSeconds(kDoneSeconds);
      LogWarning("report_failed", {{"reason", answer.status().message()}});
      if (!rpc::AwaitConnection(*channel_, Deadline::After(kRetryPause))) std::this_thread::sleep_for(kRetryPause);
      FindCoordinatorAgain();
    }
  }

  void Stopped(int64_t steps, bool asked, const std::string& reason) override {
    auto stopped = Message<v1::TrainingStopped>();
    stopped.set_steps(static_cast<uint64_t>(steps));
    stopped.set_asked(asked);
    stopped.set_reason(reason);
    const auto answer = rpc::Call(*stub_, &Stub::ReportStopped, stopped, kCallSeconds, "ReportStopped");
    if (!answer.ok()) LogWarning("report_failed", {{"reason", answer.status().message()}});
  }

  void Failed(const Status& status) override {
    auto failed = Message<v1::TrainingFailed>();
    failed.set_message(status.message());
    failed.set_code(static_cast<uint32_t>(status.code()));
    const auto answer = rpc::Call(*stub_, &Stub::ReportFailed, failed, kCallSeconds, "ReportFailed");
    if (!answer.ok()) LogWarning("report_failed", {{"reason", answer.status().message()}});
  }

 private:
  /// A message with what all of them carry.
  template <class T>
  T Message() const {
    T message;
    message.set_epoch(address_.epoch);
    message.set_job_id(job_id_);
    message.set_launch_id(launch_id_);
    return message;
  }

  /// What nobody took of the last step, whose values are the job's.
  Status TellLastStep() {
    if (!untold_) return OkStatus();
    untold_->set_epoch(address_.epoch);
    const auto answer = rpc::Call(*stub_, &Stub::ReportProgress, *untold_, kCallSeconds, "ReportProgress");
    if (answer.ok()) untold_.reset();
    return answer.status();
  }

  /// Whether the coordinator is there, and takes nothing before its disk has room.
  static bool WaitsForRoom(const Status& status) { return status.code() == Code::kResourceExhausted; }
  /// Whether the failure means that nobody took the report, rather than an answer that says no.
  static bool Silent(const Status& status) {
    return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded || WaitsForRoom(status);
  }

  void FindCoordinatorAgain() {
    const auto found = rpc::ReadRunAddress(run_dir_);
    if (!found.ok()) return;
    if (found->address == address_.address && found->epoch == address_.epoch) return;
    auto channel = rpc::MakeRunChannel(run_dir_, *found, rpc::Right::kWork);
    if (!channel.ok()) return;
    address_ = *found;
    channel_ = std::move(*channel);
    stub_ = v1::TrainingService::NewStub(channel_);
  }

  std::string run_dir_;
  std::string job_id_;
  std::string launch_id_;
  std::vector<std::string> notes_;              // that no report has carried yet
  std::optional<v1::TrainingProgress> untold_;  // of the last step, when nobody took it
  rpc::RunAddress address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace

Result<std::unique_ptr<Reporter>> ConnectToCoordinator(const std::string& run_dir, const std::string& job_id,
                                                       const std::string& launch_id) {
  auto reporter = std::make_unique<CoordinatorReporter>(run_dir, job_id, launch_id);
  SRLM_RETURN_IF_ERROR(reporter->Connect());
  return std::unique_ptr<Reporter>(std::move(reporter));
}

}  // namespace srlm::trainer
