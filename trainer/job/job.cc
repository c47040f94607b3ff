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
#include <set>
#include <thread>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/manifest.h"
#include "common/checkpoint/checkpoint.h"
#include "common/data/jsonl.h"
#include "common/model/save.h"
#include "trainer/job/inputs.h"
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

 private:
  bool leads() const { return communicator_.rank() == 0; }
  void ChooseRecompute();
  Status CheckSameInputs();
  Status PrintLogprobs();
  Status MakeReference();
  Status RunSteps();
  Status AfterStep(StepValues& values);
  Status SaveCheckpoint(int64_t steps_done);
  Status SaveOut();
  std::string Settings() const;

  const TrainerOptions& options_;
  parallel::Communicator& communicator_;
  Reporter* reporter_;
  const Clock::time_point begin_ = Clock::now();
  JobInputs inputs_;
  std::string model_id_;
  DataOrder order_;
  LearningRateSchedule schedule_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<data::JsonlWriter> log_;
  double reference_seconds_ = 0, steps_seconds_ = 0;
  int64_t tokens_ = 0;
};

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
    if (!options_.log.empty()) {
      std::filesystem::remove(options_.log);  // a job begins at step 0: rows of an earlier attempt would count twice
      SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Append(options_.log));
      log_ = std::move(writer);
    }
  }
  order_ = {.samples = static_cast<int64_t>(inputs_.samples.size()),
            .global_batch = options_.global_batch,
            .epochs = options_.epochs,
            .max_steps = options_.max_steps,
            .shuffle = options_.shuffle,
            .seed = options_.seed};
  schedule_ = {options_.schedule, options_.learning_rate, options_.final_learning_rate, options_.warmup_ratio,
               TotalSteps(order_)};
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
  return parallel::Agree(communicator_,
                         same ? OkStatus() : FailedPrecondition("the data files differ from those that rank 0 reads"),
                         "data check");
}

Status Job::PrintLogprobs() {
  if (options_.print_logprobs.empty()) return OkStatus();
  std::vector<size_t> all(inputs_.samples.size());
  std::iota(all.begin(), all.end(), size_t{0});
  SRLM_ASSIGN_OR_RETURN(const auto logp, trainer_->SequenceLogp(all));
  const Status written = leads() ? WriteLogprobs(options_.print_logprobs, inputs_.samples, logp) : OkStatus();
  return parallel::Agree(communicator_, written, "writing log-probabilities");
}

Status Job::MakeReference() {
  if (options_.method != Method::kDpo) return OkStatus();
  const Clock::time_point begin = Clock::now();
  trainer_->ReferenceIsPolicy(SamplesOfStep(order_, 0));  // nothing has changed yet at step 0
  std::set<size_t> used;
  for (int64_t step = 1; step < schedule_.total_steps && used.size() < inputs_.samples.size(); ++step) {
    used.merge([&] {
      const std::vector<size_t> samples = SamplesOfStep(order_, step);
      return std::set<size_t>(samples.begin(), samples.end());
    }());
  }
  const std::vector<size_t> indices(used.begin(), used.end());
  SRLM_RETURN_IF_ERROR(trainer_->ComputeReference(indices));
  reference_seconds_ = SecondsSince(begin);
  if (leads()) LogInfo("reference", {{"pairs", indices.size()}, {"seconds", reference_seconds_}});
  return OkStatus();
}

Status Job::AfterStep(StepValues& values) {
  tokens_ += values.tokens;
  std::vector<int64_t> verdict = {0, 0};  // failed, stop
  Status status;
  if (leads()) {
    LogInfo("step", {{"step", values.step},
                     {"of", values.total_steps},
                     {"loss", values.loss},
                     {"grad_norm", values.grad_norm},
                     {"seconds", values.seconds}});
    if (log_) status = log_->Write(StepRow(options_.method, values));
    if (status.ok() && reporter_ != nullptr) {
      const auto stop = reporter_->Step(values);
      status = stop.status();
      verdict[1] = stop.ok() && *stop ? 1 : 0;
    }
    verdict[0] = status.ok() ? 0 : 1;
  }
  if (options_.checkpoint_steps > 0 && (values.step + 1) % options_.checkpoint_steps == 0 && leads() && status.ok()) {
    status = SaveCheckpoint(values.step + 1);
    verdict[0] = status.ok() ? 0 : 1;
  }
  SRLM_RETURN_IF_ERROR(communicator_.AllReduceSum(parallel::BufferOf(std::span(verdict)), "end of step"));
  if (!status.ok()) return status;
  if (verdict[0] != 0) return Aborted("rank 0 failed at the end of a step; its message says why");
  if (verdict[1] != 0) return Status(Code::kCancelled, "stopped by the coordinator");
  return OkStatus();
}

std::string Job::Settings() const {
  return fmt::format(
      "method={} beta={} lr={}..{} schedule={} warmup={} batch={} adam={},{} decay={} clip={} shuffle={}",
      options_.method == Method::kDpo ? "dpo" : "sft", options_.beta, options_.learning_rate,
      options_.final_learning_rate, options_.schedule == Schedule::kCosine ? "cosine" : "constant",
      options_.warmup_ratio, options_.global_batch, options_.adam_beta1, options_.adam_beta2, options_.weight_decay,
      options_.max_grad_norm, options_.shuffle);
}

Status Job::SaveCheckpoint(int64_t steps_done) {
  const std::string folder =
      options_.checkpoint_folder.empty() ? options_.out + ".checkpoints" : options_.checkpoint_folder;
  const checkpoint::Part parts[] = {{"weights", network_->weights()},
                                    {"first_moment", optimizer_->first_moment()},
                                    {"second_moment", optimizer_->second_moment()}};
  const checkpoint::TrainingState state = {steps_done, schedule_.total_steps, options_.seed,
                                           model_id_,  inputs_.data_sha256,   Settings()};
  SRLM_ASSIGN_OR_RETURN(const std::string path,
                        checkpoint::CheckpointFolder(folder, options_.keep_checkpoints).Save(state, parts));
  LogInfo("checkpoint", {{"step", steps_done}, {"folder", path}});
  return OkStatus();
}

Status Job::RunSteps() {
  const Clock::time_point begin = Clock::now();
  for (int64_t step = 0; step < schedule_.total_steps; ++step) {
    SRLM_ASSIGN_OR_RETURN(StepValues values, trainer_->Step(SamplesOfStep(order_, step), schedule_.At(step)));
    values.step = step;
    values.total_steps = schedule_.total_steps;
    SRLM_RETURN_IF_ERROR(AfterStep(values));
  }
  steps_seconds_ = SecondsSince(begin);
  return OkStatus();
}

Status Job::SaveOut() {
  Status status;
  if (leads()) {
    const auto manifest = model::SaveModel(options_.out, options_.model, network_->table(), network_->weights());
    status = manifest.status();
    if (status.ok()) {
      const JobResult result = {std::filesystem::absolute(options_.out).string(), manifest->ModelId(),
                                schedule_.total_steps, tokens_, SecondsSince(begin_)};
      if (log_) status = log_->Write(DoneRow(result, reference_seconds_, steps_seconds_));
      if (log_ && status.ok()) status = log_->Close();
      LogInfo("done", {{"model_folder", result.model_folder},
                       {"model_id", result.model_id},
                       {"steps", result.steps},
                       {"seconds", result.seconds},
                       {"peak_rss_bytes", PeakRssBytes()}});
      if (status.ok() && reporter_ != nullptr) status = reporter_->Done(result);
    }
  }
  return parallel::Agree(communicator_, status, "saving the model");
}

Status Job::Run() {
  SRLM_RETURN_IF_ERROR(CheckSameInputs());
  optimizer_ = std::make_unique<AdamW>(network_->table(), AdamWOptions{.beta1 = options_.adam_beta1,
                                                                       .beta2 = options_.adam_beta2,
                                                                       .epsilon = 1e-8,
                                                                       .weight_decay = options_.weight_decay});
  trainer_ = std::make_unique<Trainer>(
      StepOptions{options_.method, options_.beta, options_.max_grad_norm, options_.micro_batch_tokens}, inputs_.samples,
      *network_, *optimizer_, communicator_);
  SRLM_RETURN_IF_ERROR(PrintLogprobs());
  if (options_.out.empty()) return OkStatus();
  SRLM_RETURN_IF_ERROR(MakeReference());
  SRLM_RETURN_IF_ERROR(RunSteps());
  return SaveOut();
}

void UseThreads(int asked, int ranks_on_host) {
  const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  at::set_num_threads(asked > 0 ? asked : std::max(1, cores / std::max(1, ranks_on_host)));
}

}  // namespace

JobEnd RunJob(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter) {
  const c10::InferenceMode inference;  // no autograd: backward is written out
  UseThreads(options.threads, communicator.ranks_on_host());
  Job job(options, communicator, reporter);
  Status prepared;
  try {
    prepared = job.Prepare();
  } catch (const std::exception& error) {  // memory, or a torch of another kind
    prepared = ResourceExhausted(fmt::format("cannot prepare the job: {}", error.what()));
  }
  Status agreed = parallel::Agree(communicator, prepared, "preparing the job");
  if (!agreed.ok()) return {std::move(agreed), true};
  try {
    Status status = job.Run();
    // A diverged loss and a stop are seen by all ranks at the same step; after Aborted another rank has the message.
    const bool everywhere = status.code() == Code::kFailedPrecondition || status.code() == Code::kCancelled;
    const bool together = status.ok() || everywhere || status.code() == Code::kAborted || communicator.size() == 1;
    return {std::move(status), together, everywhere};
  } catch (const std::exception& error) {
    return {InternalError(fmt::format("training failed: {}", error.what())), communicator.size() == 1};
  }
}

}  // namespace srlm::trainer
