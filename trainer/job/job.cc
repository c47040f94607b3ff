#include "trainer/job/job.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/machine.h"
#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "common/model/cost.h"
#include "common/model/save.h"
#include "trainer/batches/mix_order.h"
#include "trainer/job/identity.h"
#include "trainer/job/inputs.h"
#include "trainer/job/job_checkpoints.h"
#include "trainer/job/job_log.h"
#include "trainer/job/log_rows.h"
#include "trainer/job/save_together.h"
#include "trainer/job/saved_models.h"
#include "trainer/job/trainer.h"
#include "trainer/parameters/adapter_parameters.h"

namespace srlm::trainer {
namespace {

/// One job's parts, made in Prepare and used by the phases after it.
class Job {
 public:
  Job(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter,
      const std::function<bool()>& noticed, const device::Device* device)
      : options_(options), communicator_(communicator), reporter_(reporter), noticed_(noticed), device_(device) {}

  /// What can fail on its own on each rank, before the first exchange of values.
  Status Prepare();
  /// Everything after: all ranks go through it in step.
  Status Run();

  /// How a failure of Run stands with the other ranks; false unless it was seen where all ranks saw it.
  bool together() const { return together_ || communicator_.size() == 1; }
  bool everywhere() const { return everywhere_; }

 private:
  bool leads() const { return communicator_.rank() == 0; }
  bool trains() const { return !options_.out.empty(); }
  Status AgreeOn(const Status& mine, std::string_view name);
  Status Everywhere(Status status);
  Place PlaceOfJob() const;
  int64_t AvailableBytes() const;
  void ChooseRecompute();
  Status CheckSameInputs();
  void MakeTrainer();
  Status PrintLogprobs();
  Status CheckSaved() const { return saved_models_ ? saved_models_->Check(state_) : OkStatus(); }
  Status Resume();
  Status MakeReference();
  Status OpenLog();
  Status RunSteps();
  std::vector<size_t> SamplesOf(int64_t step);
  Status RunStep(int64_t step);
  Status Record(const StepValues& values, bool& stop);
  Status Keep();
  Status StopIfTold(bool asked);
  Status SaveCheckpoint();
  Result<Manifest> Save(const std::string& folder);
  Status SaveOut();
  Status End(const std::string& folder, const Manifest& manifest);
  Status WriteTrace() const;

  const TrainerOptions& options_;
  parallel::Communicator& communicator_;
  Reporter* reporter_;
  const std::function<bool()>& noticed_;
  const device::Device* device_;
  const Clock::time_point begin_ = Clock::now();
  JobInputs inputs_;
  std::string model_id_;
  DataOrder data_order_;
  std::optional<SampleOrder> order_;
  std::optional<MixOrder> mix_order_;
  LearningRateSchedule schedule_;
  std::unique_ptr<Trace> trace_;           // with --trace
  AdapterParameters* adapters_ = nullptr;  // with --lora-rank: the network's parameters
  std::unique_ptr<Network> network_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<JobCheckpoints> checkpoints_;
  std::optional<SavedModels> saved_models_;  // with --save-steps
  std::optional<JobLog> log_;
  checkpoint::TrainingState state_;  // after the last step that was done
  int64_t saved_step_ = -1;          // of the newest checkpoint
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
  communicator_.SetPhase("preparing");
  SRLM_ASSIGN_OR_RETURN(inputs_, ReadInputs(options_));
  if (inputs_.too_long > 0 && leads()) {
    LogWarning("rows_left_out", {{"too_long", inputs_.too_long}, {"first", inputs_.first_too_long}});
  }
  int64_t positions = 0;
  for (const Sample& sample : inputs_.samples) positions = std::max(positions, sample.context_tokens());
  if (!options_.trace.empty()) trace_ = std::make_unique<Trace>(communicator_.rank());
  SRLM_ASSIGN_OR_RETURN(auto parameters,
                        Parameters::Load(options_.model, options_.sharding, communicator_, trace_.get(), PlaceOfJob()));
  if (options_.lora.rank > 0) {
    auto adapters = std::make_unique<AdapterParameters>(std::move(parameters), options_.lora, options_.seed,
                                                        communicator_, trace_.get());
    adapters_ = adapters.get();
    parameters = std::move(adapters);
  }
  network_ = MakeNetwork(std::move(parameters), positions);
  if (leads()) {
    SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(options_.model));
    model_id_ = manifest.ModelId();
  }
  data_order_ = {.samples = static_cast<int64_t>(inputs_.samples.size()) - inputs_.mixed,
                 .global_batch = options_.global_batch,
                 .epochs = options_.epochs,
                 .max_steps = options_.max_steps,
                 .shuffle = options_.shuffle,
                 .seed = options_.seed};
  schedule_ = {options_.schedule, options_.learning_rate, options_.final_learning_rate, options_.warmup_ratio,
               TotalSteps(data_order_)};
  order_.emplace(data_order_);
  mix_order_.emplace(MixOptions{inputs_.mixed, options_.sft_share, options_.seed, options_.shuffle}, data_order_);
  ChooseRecompute();
  return OkStatus();
}

Place Job::PlaceOfJob() const {
  if (device_ == nullptr) return {};
  return {at::Device(device_->AtenName()), parallel::Memory::kDevice,
          options_.device.bfloat16() ? at::kBFloat16 : at::kFloat};
}

/// For this rank's activations, gradients and moments; 0: not known.
int64_t Job::AvailableBytes() const {
  if (device_ == nullptr) return AvailableMemoryBytes() / communicator_.ranks_on_host();
  device::Description now;
  return device_->entry->describe(device_->number, &now) == device::kSuccess ? now.free_bytes : 0;
}

void Job::ChooseRecompute() {
  int64_t longest = 0, all = 0;
  for (const Sample& sample : inputs_.samples) {
    longest = std::max(longest, sample.packed_tokens());
    all += sample.packed_tokens();
  }
  const int64_t tokens = std::max(longest, std::min(options_.micro_batch_tokens, all));
  // Autograd's graphs, on a device, keep about twice of what backward by hand does.
  const int64_t bytes = model::ActivationBytes(network_->config(), tokens, false) * (device_ == nullptr ? 1 : 2);
  const int64_t optimizer_bytes = network_->parameters().StepBytes();
  const int64_t available = AvailableBytes();
  const bool fits = available == 0 || bytes + optimizer_bytes < available / 10 * 9;
  const bool asked = options_.activation_checkpointing == config::ActivationCheckpointing::kBlock;
  if (!asked && !fits && leads()) {
    LogWarning(
        "activation_checkpointing",
        {{"reason", "activations do not fit in memory"}, {"activation_bytes", bytes}, {"available_bytes", available}});
  }
  network_->set_recompute(asked || !fits);
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

void Job::MakeTrainer() {
  if (trains()) {
    Parameters& parameters = network_->parameters();
    optimizer_ = std::make_unique<AdamW>(parameters.table(), parameters.Owned(),
                                         AdamWOptions{.beta1 = options_.adam_beta1,
                                                      .beta2 = options_.adam_beta2,
                                                      .epsilon = 1e-8,
                                                      .weight_decay = options_.weight_decay});
  }
  trainer_ = std::make_unique<Trainer>(StepOptions{.method = options_.method,
                                                   .preference = {.loss = FindLogitLoss(options_.loss),
                                                                  .beta = options_.beta,
                                                                  .label_smoothing = options_.label_smoothing,
                                                                  .length_normalised = options_.length_normalised,
                                                                  .nll_weight = options_.nll_weight},
                                                   .sft_weight = options_.sft_weight,
                                                   .max_grad_norm = options_.max_grad_norm,
                                                   .dropout = options_.dropout,
                                                   .dropout_seed = options_.seed,
                                                   .micro_batch_tokens = options_.micro_batch_tokens},
                                       inputs_.samples, *network_, optimizer_.get(), communicator_);
}

Status Job::PrintLogprobs() {
  if (options_.print_logprobs.empty()) return OkStatus();
  std::vector<size_t> all(static_cast<size_t>(data_order_.samples));
  std::iota(all.begin(), all.end(), size_t{0});
  SRLM_ASSIGN_OR_RETURN(const auto logp, trainer_->SequenceLogp(all));
  Status written;
  if (leads()) {
    const parallel::AloneWork alone(communicator_, "writing log-probabilities");
    written = WriteLogprobs(options_.print_logprobs, std::span(inputs_.samples).first(all.size()), logp);
  }
  return AgreeOn(written, "writing log-probabilities");
}

Status Job::Resume() {
  std::vector<int64_t> threads(static_cast<size_t>(communicator_.size())), mine = {at::get_num_threads()};
  SRLM_RETURN_IF_ERROR(
      communicator_.AllGather(parallel::BufferOf(std::span(mine)), parallel::BufferOf(std::span(threads)), "threads"));
  state_.identity = IdentityOf(options_, model_id_, inputs_.data_sha256, schedule_.total_steps, threads);
  checkpoints_.emplace(options_, communicator_, *network_, *optimizer_, *trainer_);
  if (options_.save_steps > 0) saved_models_.emplace(options_, schedule_.total_steps);
  if (!options_.resume) return AgreeOn(leads() ? CheckSaved() : OkStatus(), "looking for saved models");
  SRLM_RETURN_IF_ERROR(AgreeOn(checkpoints_->Load(state_), "reading a checkpoint"));
  SRLM_RETURN_IF_ERROR(AgreeOn(leads() ? CheckSaved() : OkStatus(), "looking for saved models"));
  at::set_num_threads(ThreadsOf(state_.identity, communicator_.rank()));
  if (state_.step > 0) saved_step_ = state_.step;
  if (!leads()) return OkStatus();
  std::string note = state_.step > 0 ? fmt::format("goes on after step {}, from {}", state_.step, checkpoints_->path())
                                     : "begins anew: no checkpoint is whole";
  if (state_.step > 0 && checkpoints_->written_by() != communicator_.size()) {
    note += fmt::format("; {} ranks wrote it, and {} go on: from here on sums over ranks are rounded in another order",
                        checkpoints_->written_by(), communicator_.size());
  }
  for (const std::string& refused : checkpoints_->refused()) note += "; refused: " + refused;
  if (state_.step == 0 && checkpoints_->refused().empty()) return OkStatus();
  LogInfo("resumed", {{"note", note}});
  if (reporter_ != nullptr) reporter_->Note(note);
  return OkStatus();
}

Status Job::MakeReference() {
  if (options_.method != Method::kDpo || state_.step > 0) return OkStatus();
  communicator_.SetPhase("reference values");
  const Clock::time_point begin = Clock::now();
  std::vector<size_t> indices = order_->AfterFirstStep();
  const std::vector<size_t> first = order_->Step(0);
  if (options_.dropout > 0) {
    indices.insert(indices.end(), first.begin(), first.end());  // the step's own forward is not the reference's
  } else {
    trainer_->ReferenceIsPolicy(first);  // nothing has changed yet at step 0
  }
  SRLM_RETURN_IF_ERROR(trainer_->ComputeReference(indices));
  state_.reference_seconds = SecondsSince(begin);
  if (leads()) LogInfo("reference", {{"pairs", indices.size()}, {"seconds", state_.reference_seconds}});
  return OkStatus();
}

Status Job::OpenLog() {
  Status status;
  if (leads() && !options_.log.empty()) {
    auto log = JobLog::Open(options_.log, state_.step);
    status = log.status();
    if (log.ok()) log_ = std::move(log).value();
    if (status.ok() && state_.step > 0) {
      status = log_->Write(ResumedRow(state_.step, checkpoints_->path(), checkpoints_->refused()));
    }
  }
  return AgreeOn(status, "opening the log");
}

Status Job::RunSteps() {
  while (state_.step < schedule_.total_steps) SRLM_RETURN_IF_ERROR(RunStep(state_.step));
  return OkStatus();
}

/// The pairs or rows of a step, and the SFT rows mixed into it.
std::vector<size_t> Job::SamplesOf(int64_t step) {
  std::vector<size_t> samples = order_->Step(step);
  for (const size_t row : mix_order_->Step(step)) samples.push_back(static_cast<size_t>(data_order_.samples) + row);
  return samples;
}

Status Job::RunStep(int64_t step) {
  communicator_.SetPhase(fmt::format("step {}", step));
  SRLM_ASSIGN_OR_RETURN(StepValues values, trainer_->Step(step, SamplesOf(step), schedule_.At(step)));
  if (!values.finite()) {
    return Everywhere(FailedPrecondition(
        fmt::format("the loss of step {} is {} and its gradient norm {}: training diverged; lower --learning-rate, or "
                    "check the data and weights",
                    step, values.loss, values.grad_norm)));
  }
  if (step == 0) state_.first_loss = values.loss;
  state_.step = step + 1;
  state_.tokens += values.tokens;
  state_.seconds += values.seconds;
  values.step = step;
  values.total_steps = schedule_.total_steps;
  values.total_tokens = state_.tokens;
  values.total_seconds = state_.seconds;
  values.first_loss = state_.first_loss;
  bool stop = false;
  SRLM_RETURN_IF_ERROR(AgreeOn(leads() ? Record(values, stop) : OkStatus(), "end of step"));
  SRLM_RETURN_IF_ERROR(Keep());
  return StopIfTold(stop);
}

/// Rank 0: tells of the step.
Status Job::Record(const StepValues& values, bool& stop) {
  LogInfo("step", {{"step", values.step},
                   {"of", values.total_steps},
                   {"loss", values.loss},
                   {"grad_norm", values.grad_norm},
                   {"seconds", values.seconds}});
  if (log_) SRLM_RETURN_IF_ERROR(log_->Write(StepRow(options_.method, values)));
  if (reporter_ == nullptr) return OkStatus();
  const parallel::AloneWork alone(communicator_, "the report to the coordinator");
  SRLM_ASSIGN_OR_RETURN(stop, reporter_->Step(values));
  return OkStatus();
}

/// What has been reached, where it is due. Models before the checkpoint: who goes on from one finds all models up to
/// its step.
Status Job::Keep() {
  if (saved_models_ && saved_models_->Due(state_.step)) {
    const auto saved = Save(SavedName(options_.out, state_.step));
    SRLM_RETURN_IF_ERROR(AgreeOn(saved.status(), "saving the model"));
  }
  const bool last = state_.step == schedule_.total_steps;
  const bool due = options_.checkpoint_steps > 0 && (last || state_.step % options_.checkpoint_steps == 0);
  return due ? SaveCheckpoint() : OkStatus();
}

/// The log is on disk first: its rows below a checkpoint's step are never written again.
Status Job::SaveCheckpoint() {
  if (saved_step_ == state_.step) return OkStatus();
  Status synced;
  if (log_) {
    const parallel::AloneWork alone(communicator_, "writing the log");
    synced = log_->Sync();
  }
  SRLM_RETURN_IF_ERROR(AgreeOn(synced, "writing the log"));
  SRLM_RETURN_IF_ERROR(AgreeOn(checkpoints_->Save(state_), "saving a checkpoint"));
  saved_step_ = state_.step;
  return OkStatus();
}

/// All ranks. The manifest is rank 0's.
Result<Manifest> Job::Save(const std::string& folder) {
  if (adapters_ != nullptr && options_.lora_save == config::LoraSave::kAdapter) {
    if (!leads()) return Manifest{};
    const parallel::AloneWork alone(communicator_, "saving the adapters");
    return model::SaveAdapter(folder, options_.model, options_.lora, adapters_->table(),
                              SpanOf(adapters_->adapters().cpu()));
  }
  return SaveTogether(network_->parameters(), communicator_,
                      [&](const model::ParameterTable& table, const model::ParameterValues& values) {
                        return saved_models_ ? saved_models_->Save(state_, table, values)
                                             : model::SaveModel(folder, options_.model, table, values);
                      });
}

/// Ends all ranks here when the reporter asked for it, or any rank has notice. A job that has made its last step rather
/// saves its model.
Status Job::StopIfTold(bool asked) {
  const auto ranks = static_cast<size_t>(communicator_.size());
  std::vector<int64_t> votes(ranks + 1, 0);  // a rank's notice; the last one: asked
  votes[static_cast<size_t>(communicator_.rank())] = noticed_ && noticed_() ? 1 : 0;
  votes[ranks] = asked ? 1 : 0;
  SRLM_RETURN_IF_ERROR(communicator_.AllReduceSum(parallel::BufferOf(std::span(votes)), "whether to stop"));
  const auto told =
      static_cast<size_t>(std::ranges::find_if(votes, [](int64_t vote) { return vote > 0; }) - votes.begin());
  if (told > ranks || state_.step == schedule_.total_steps) return OkStatus();
  SRLM_RETURN_IF_ERROR(SaveCheckpoint());
  const std::string reason = told == ranks ? "the coordinator asked for it" : fmt::format("SIGTERM on rank {}", told);
  if (leads() && reporter_ != nullptr) {
    const parallel::AloneWork alone(communicator_, "the report to the coordinator");
    reporter_->Stopped(state_.step, told == ranks, reason);
  }
  return Everywhere(
      {Code::kCancelled, fmt::format("stopped after step {} of {}: {}; the same command goes on from there",
                                     state_.step, schedule_.total_steps, reason)});
}

Status Job::SaveOut() {
  communicator_.SetPhase("the end");
  const std::string folder = saved_models_ ? SavedName(options_.out, state_.step) : options_.out;
  const auto manifest = Save(folder);
  Status status = manifest.status();
  if (status.ok() && leads()) status = End(folder, *manifest);
  if (status.ok()) status = WriteTrace();
  return AgreeOn(status, "saving the model");
}

/// Rank 0, with the model saved.
Status Job::End(const std::string& folder, const Manifest& manifest) {
  const parallel::AloneWork alone(communicator_, "saving the model");
  const JobResult result = {std::filesystem::absolute(folder).string(), manifest.ModelId(), state_.step, state_.tokens,
                            state_.seconds};
  if (log_) SRLM_RETURN_IF_ERROR(log_->Write(DoneRow(result, state_.reference_seconds, SecondsSince(begin_))));
  if (log_) SRLM_RETURN_IF_ERROR(log_->Close());
  LogInfo("done", {{"model_folder", result.model_folder},
                   {"model_id", result.model_id},
                   {"steps", result.steps},
                   {"seconds", result.seconds},
                   {"peak_rss_bytes", PeakRssBytes()}});
  return reporter_ == nullptr ? OkStatus() : reporter_->Done(result);
}

Status Job::WriteTrace() const {
  if (!trace_) return OkStatus();
  SRLM_RETURN_IF_ERROR(MakeFolders(options_.trace));
  return trace_->Write(fmt::format("{}/rank-{}.json", options_.trace, communicator_.rank()));
}

Status Job::Run() {
  SRLM_RETURN_IF_ERROR(CheckSameInputs());
  MakeTrainer();
  SRLM_RETURN_IF_ERROR(PrintLogprobs());
  if (!trains()) return OkStatus();
  SRLM_RETURN_IF_ERROR(Resume());
  SRLM_RETURN_IF_ERROR(MakeReference());
  SRLM_RETURN_IF_ERROR(OpenLog());
  SRLM_RETURN_IF_ERROR(RunSteps());
  return SaveOut();
}

}  // namespace

JobEnd RunJob(const TrainerOptions& options, parallel::Communicator& communicator, Reporter* reporter,
              const std::function<bool()>& noticed, const device::Device* device) {
  std::optional<c10::InferenceMode> inference;  // on processors no autograd: backward is written out
  if (device == nullptr) inference.emplace();
  const at::NoGradGuard no_grad;
  at::set_num_threads(options.threads > 0 ? options.threads : ThreadsPerRank(communicator.ranks_on_cores()));
  Job job(options, communicator, reporter, noticed, device);
  Status prepared;
  try {
    prepared = job.Prepare();
  } catch (const std::exception& error) {  // memory, or a torch of another kind
    prepared = InternalError(fmt::format("cannot prepare the job: {}", error.what()));
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
