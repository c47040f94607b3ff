#include "trainer/job/job.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/machine.h"
#include "common/base/manifest.h"
#include "common/checkpoint/checkpoint.h"
#include "common/model/save.h"
#include "trainer/job/inputs.h"
#include "trainer/job/job_log.h"
#include "trainer/job/log_rows.h"
#include "trainer/job/trainer.h"

namespace srlm::trainer {
namespace {

/// One job's parts, made in Prepare and used by the phases after it.
class Job {
 public:
  Job(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter)
      : options_(options), communicator_(communicator), reporter_(reporter) {}

  /// What can fail on its own on each rank, before the first exchange of values.
  Status Prepare();
  /// Everything after: all ranks go through it in step.
  Status Run();

  /// How a failure of Run stands with the other ranks; false unless it was seen where all ranks saw it.
  bool together() const { return together_ || communicator_.size() == 1; }
  bool everywhere() const { return everywhere_; }

 private:
  bool leads() const { return communicator_.rank() == 0; }
  Status AgreeOn(const Status& mine, std::string_view name);
  Status Everywhere(Status status);
  void ChooseRecompute();
  Status CheckSameInputs();
  Status PrintLogprobs();
  Status MakeReference();
  Status RunSteps();
  Status AfterStep(StepValues& values);
  Status SaveCheckpoint(int64_t steps_done);
  Status SaveOut();
  checkpoint::JobIdentity Identity() const;

  const TrainerOptions& options_;
  parallel::Communicator& communicator_;
  Reporter* reporter_;
  const Clock::time_point begin_ = Clock::now();
  JobInputs inputs_;
  std::string model_id_;
  DataOrder data_order_;
  std::optional<SampleOrder> order_;
  LearningRateSchedule schedule_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<JobLog> log_;
  double reference_seconds_ = 0, steps_seconds_ = 0, first_loss_ = 0;
  int64_t tokens_ = 0;
  bool together_ = false, everywhere_ = false;
};

/// Asks all ranks whether they are well. After a failure they leave together, unless the asking failed.
Status Job::AgreeOn(const Status& mine, std::string_view name) {
  const parallel::Agreement agreement = parallel::Agree(communicator_, mine, name);
  together_ = agreement.together && !agreement.status.ok();
  return agreement.status;
}

/// A failure that every rank sees at this same place.
Status Job::Everywhere(Status status) {
  together_ = everywhere_ = true;
  return status;
}

Status Job::Prepare() {
  SRLM_ASSIGN_OR_RETURN(inputs_, ReadInputs(options_));
  if (inputs_.too_long > 0 && leads()) {
    LogWarning("rows_left_out", {{"too_long", inputs_.too_long}, {"first", inputs_.first_too_long}});
  }
  int64_t positions = 0;
  for (const Sample& sample : inputs_.samples) positions = std::max(positions, sample.context_tokens());
  SRLM_ASSIGN_OR_RETURN(network_, Network::Load(options_.model, positions));
  if (leads()) {
    SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(options_.model));
    model_id_ = manifest.ModelId();
    if (!options_.log.empty() && !options_.out.empty()) {
      SRLM_ASSIGN_OR_RETURN(JobLog log, JobLog::Open(options_.log, 0));
      log_ = std::move(log);
    }
  }
  data_order_ = {.samples = static_cast<int64_t>(inputs_.samples.size()),
                 .global_batch = options_.global_batch,
                 .epochs = options_.epochs,
                 .max_steps = options_.max_steps,
                 .shuffle = options_.shuffle,
                 .seed = options_.seed};
  schedule_ = {options_.schedule, options_.learning_rate, options_.final_learning_rate, options_.warmup_ratio,
               TotalSteps(data_order_)};
  order_.emplace(data_order_);
  ChooseRecompute();
  return OkStatus();
}

void Job::ChooseRecompute() {
  int64_t longest = 0, all = 0;
  for (const Sample& sample : inputs_.samples) {
    longest = std::max(longest, sample.packed_tokens());
    all += sample.packed_tokens();
  }
  const int64_t tokens = std::max(longest, std::min(options_.micro_batch_tokens, all));
  const int64_t bytes = network_->ActivationBytes(tokens, false) * communicator_.ranks_on_host();
  const int64_t optimizer_bytes = 3 * network_->table().total_elements * 4 * communicator_.ranks_on_host();
  const int64_t available = AvailableMemoryBytes();
  const bool fits = available == 0 || bytes + optimizer_bytes < available / 10 * 9;
  if (!options_.recompute && !fits && leads()) {
    LogWarning(
        "recompute",
        {{"reason", "activations do not fit in memory"}, {"activation_bytes", bytes}, {"available_bytes", available}});
  }
  network_->set_recompute(options_.recompute || !fits);
}

Status Job::CheckSameInputs() {
  const std::string hash = inputs_.data_sha256;
  std::vector<char> of_rank_0(hash.begin(), hash.end());
  SRLM_RETURN_IF_ERROR(communicator_.Broadcast(parallel::BufferOf(std::span(of_rank_0)), 0, "data check"));
  const bool same = std::equal(hash.begin(), hash.end(), of_rank_0.begin());
  return AgreeOn(same ? OkStatus()
                      : FailedPrecondition(fmt::format("rank {}: the data files differ from those that rank 0 reads",
                                                       communicator_.rank())),
                 "data check");
}

Status Job::PrintLogprobs() {
  if (options_.print_logprobs.empty()) return OkStatus();
  std::vector<size_t> all(inputs_.samples.size());
  std::iota(all.begin(), all.end(), size_t{0});
  SRLM_ASSIGN_OR_RETURN(const auto logp, trainer_->SequenceLogp(all));
  const Status written = leads() ? WriteLogprobs(options_.print_logprobs, inputs_.samples, logp) : OkStatus();
  return AgreeOn(written, "writing log-probabilities");
}

Status Job::MakeReference() {
  if (options_.method != Method::kDpo) return OkStatus();
  const Clock::time_point begin = Clock::now();
  trainer_->ReferenceIsPolicy(order_->Step(0));  // nothing has changed yet at step 0
  const std::vector<size_t> indices = order_->AfterFirstStep();
  SRLM_RETURN_IF_ERROR(trainer_->ComputeReference(indices));
  reference_seconds_ = SecondsSince(begin);
  if (leads()) LogInfo("reference", {{"pairs", indices.size()}, {"seconds", reference_seconds_}});
  return OkStatus();
}

Status Job::AfterStep(StepValues& values) {
  if (!values.finite()) {
    return Everywhere(FailedPrecondition(
        fmt::format("the loss of step {} is {} and its gradient norm {}: training diverged; lower --learning-rate, or "
                    "check the data and weights",
                    values.step, values.loss, values.grad_norm)));
  }
  if (values.step == 0) first_loss_ = values.loss;
  tokens_ += values.tokens;
  steps_seconds_ += values.seconds;
  values.total_tokens = tokens_;
  values.total_seconds = steps_seconds_;
  values.first_loss = first_loss_;
  Status status;
  std::vector<int64_t> stop = {0};
  if (leads()) {
    LogInfo("step", {{"step", values.step},
                     {"of", values.total_steps},
                     {"loss", values.loss},
                     {"grad_norm", values.grad_norm},
                     {"seconds", values.seconds}});
    if (log_) status = log_->Write(StepRow(options_.method, values));
    if (status.ok() && reporter_ != nullptr) {
      const auto asked = reporter_->Step(values);
      status = asked.status();
      stop[0] = asked.ok() && *asked ? 1 : 0;
    }
    const int64_t done = values.step + 1;
    const bool due =
        options_.checkpoint_steps > 0 && (done % options_.checkpoint_steps == 0 || done == schedule_.total_steps);
    if (status.ok() && due) status = SaveCheckpoint(done);
  }
  SRLM_RETURN_IF_ERROR(AgreeOn(status, "end of step"));
  SRLM_RETURN_IF_ERROR(communicator_.Broadcast(parallel::BufferOf(std::span(stop)), 0, "whether to stop"));
  if (stop[0] != 0) return Everywhere(Status(Code::kCancelled, "stopped by the coordinator"));
  return OkStatus();
}

checkpoint::JobIdentity Job::Identity() const {
  checkpoint::JobIdentity identity;
  identity.model_id = model_id_;
  identity.data_sha256 = inputs_.data_sha256;
  const auto set = [&](const std::string& name, const auto& value) {
    identity.settings[name] = fmt::format("{}", value);
  };
  set("method", options_.method == Method::kDpo ? "dpo" : "sft");
  set("learning_rate", options_.learning_rate);
  set("final_learning_rate", options_.final_learning_rate);
  set("schedule", options_.schedule == Schedule::kCosine ? "cosine" : "constant");
  set("warmup_ratio", options_.warmup_ratio);
  set("beta", options_.beta);
  set("global_batch", options_.global_batch);
  set("micro_batch_tokens", options_.micro_batch_tokens);
  set("steps", schedule_.total_steps);
  set("adam_beta1", options_.adam_beta1);
  set("adam_beta2", options_.adam_beta2);
  set("weight_decay", options_.weight_decay);
  set("max_grad_norm", options_.max_grad_norm);
  set("shuffle", options_.shuffle);
  set("seed", options_.seed);
  set("ranks", communicator_.size());
  set("threads", at::get_num_threads());
  return identity;
}

Status Job::SaveCheckpoint(int64_t steps_done) {
  const checkpoint::Part parts[] = {checkpoint::PartOf("weights", network_->weights()),
                                    checkpoint::PartOf("first_moment", optimizer_->first_moment()),
                                    checkpoint::PartOf("second_moment", optimizer_->second_moment())};
  const checkpoint::TrainingState state = {Identity(),     steps_done,         tokens_,
                                           steps_seconds_, reference_seconds_, first_loss_};
  SRLM_ASSIGN_OR_RETURN(
      const std::string path,
      checkpoint::CheckpointFolder(CheckpointFolderOf(options_), options_.keep_checkpoints).Save(state, parts));
  LogInfo("checkpoint", {{"step", steps_done}, {"folder", path}});
  return OkStatus();
}

Status Job::RunSteps() {
  for (int64_t step = 0; step < schedule_.total_steps; ++step) {
    SRLM_ASSIGN_OR_RETURN(StepValues values, trainer_->Step(order_->Step(step), schedule_.At(step)));
    values.step = step;
    values.total_steps = schedule_.total_steps;
    SRLM_RETURN_IF_ERROR(AfterStep(values));
  }
  return OkStatus();
}

Status Job::SaveOut() {
  Status status;
  if (leads()) {
    const auto manifest = model::SaveModel(options_.out, options_.model, network_->table(), network_->weights());
    status = manifest.status();
    if (status.ok()) {
      const JobResult result = {std::filesystem::absolute(options_.out).string(), manifest->ModelId(),
                                schedule_.total_steps, tokens_, steps_seconds_};
      if (log_) status = log_->Write(DoneRow(result, reference_seconds_, SecondsSince(begin_)));
      if (log_ && status.ok()) status = log_->Close();
      LogInfo("done", {{"model_folder", result.model_folder},
                       {"model_id", result.model_id},
                       {"steps", result.steps},
                       {"seconds", result.seconds},
                       {"peak_rss_bytes", PeakRssBytes()}});
      if (status.ok() && reporter_ != nullptr) status = reporter_->Done(result);
    }
  }
  return AgreeOn(status, "saving the model");
}

Status Job::Run() {
  SRLM_RETURN_IF_ERROR(CheckSameInputs());
  if (!options_.out.empty()) {
    optimizer_ = std::make_unique<AdamW>(network_->table(), AdamWOptions{.beta1 = options_.adam_beta1,
                                                                         .beta2 = options_.adam_beta2,
                                                                         .epsilon = 1e-8,
                                                                         .weight_decay = options_.weight_decay});
  }
  trainer_ = std::make_unique<Trainer>(
      StepOptions{options_.method, options_.beta, options_.max_grad_norm, options_.micro_batch_tokens}, inputs_.samples,
      *network_, optimizer_.get(), communicator_);
  SRLM_RETURN_IF_ERROR(PrintLogprobs());
  if (options_.out.empty()) return OkStatus();
  SRLM_RETURN_IF_ERROR(MakeReference());
  SRLM_RETURN_IF_ERROR(RunSteps());
  return SaveOut();
}

}  // namespace

JobEnd RunJob(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter) {
  const c10::InferenceMode inference;  // no autograd: backward is written out
  at::set_num_threads(options.threads > 0 ? options.threads : ThreadsPerRank(communicator.ranks_on_cores()));
  Job job(options, communicator, reporter);
  Status prepared;
  try {
    prepared = job.Prepare();
  } catch (const std::exception& error) {  // memory, or a torch of another kind
    prepared = ResourceExhausted(fmt::format("cannot prepare the job: {}", error.what()));
  }
  const parallel::Agreement agreed = parallel::Agree(communicator, prepared, "preparing the job");
  if (!agreed.status.ok()) return {agreed.status, agreed.together};
  try {
    Status status = job.Run();
    if (status.ok()) return {};
    return {std::move(status), job.together(), job.everywhere()};
  } catch (const std::exception& error) {
    return {InternalError(fmt::format("training failed: {}", error.what())), communicator.size() == 1};
  }
}

}  // namespace srlm::trainer
