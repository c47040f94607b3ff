#include "coordinator/rounds/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/log.h"

namespace srlm::rounds {
namespace {

constexpr uint32_t kHeartbeatMs = 1000;  // at most: a worker hears with it what it need not finish
constexpr uint32_t kRetrySoonMs = 50;
constexpr uint32_t kRetryMs = 200;           // nothing to lease now
constexpr uint32_t kRetryTrainingMs = 1000;  // nor soon

// Whether every log-probability is a number: one that is not would spread into scores and losses.
bool AreFinite(const v1::ItemResult& result) {
  const auto finite = [](double value) { return std::isfinite(value); };
  return std::ranges::all_of(result.choice_logprobs(), finite) &&
         std::ranges::all_of(result.token_logprobs(), finite) &&
         std::ranges::all_of(result.samples(), [](const auto& sample) { return std::isfinite(sample.logprob()); });
}

// Why a result cannot be its item's; empty: it can.
std::string Mismatch(const v1::Item& item, const v1::ItemResult& result) {
  if (result.model_id() != item.model_id())
    return fmt::format("computed by model {} instead of {}", result.model_id(), item.model_id());
  if (result.subject_hash() != item.subject_hash()) return "of another response than the item's";
  if (!result.error().empty()) return "";
  const std::vector<int> prompt(item.prompt_token_ids().begin(), item.prompt_token_ids().end());
  if (result.prompt_hash() != Sha256Tokens(prompt)) return "computed on another prompt than the item's";
  if (item.has_sample() && result.samples_size() != item.sample().stream_keys_size())
    return fmt::format("{} samples instead of {}", result.samples_size(), item.sample().stream_keys_size());
  if (item.has_choose() && result.choice_logprobs_size() != item.choose().choice_token_ids_size())
    return fmt::format("{} choices instead of {}", result.choice_logprobs_size(),
                       item.choose().choice_token_ids_size());
  if (item.has_score() && result.token_logprobs_size() != item.score().response_token_ids_size())
    return fmt::format("{} log-probabilities instead of {}", result.token_logprobs_size(),
                       item.score().response_token_ids_size());
  return AreFinite(result) ? "" : "a log-probability that is no number";
}

}  // namespace

Status Desk::CheckEpoch(uint64_t epoch) const {
  // After a failure memory is ahead of the ledger: nothing more may be answered from it.
  if (!failure_.ok()) return Unavailable("the coordinator is ending: " + failure_.message());
  if (epoch == context_.epoch) return OkStatus();
  return FailedPrecondition(fmt::format("epoch {}: the run's coordinator has epoch {}; read {}/coordinator.json again",
                                        epoch, context_.epoch, context_.run_dir));
}

Result<schedule::Worker*> Desk::WorkerOf(const std::string& worker_id) {
  schedule::Worker* worker = context_.workers.Find(worker_id);
  if (worker == nullptr)
    return FailedPrecondition(fmt::format("worker \"{}\" is not registered (any more); register again", worker_id));
  worker->heard = Clock::now();
  return worker;
}

template <class T>
Result<T> Desk::Keep(const Status& status, T value) {
  if (status.ok()) return value;
  if (failure_.ok()) failure_ = status;
  return status;
}

Result<v1::RegisterResponse> Desk::Register(const v1::RegisterRequest& request) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(request.epoch()));
  if (request.run_id() != context_.run_id)
    return FailedPrecondition(fmt::format("run {} is not here: this coordinator has run {} in {}", request.run_id(),
                                          context_.run_id, context_.run_dir));
  const int wanted = context_.config.workers.tensor_parallel;
  if (const int ranks = std::max(1, static_cast<int>(request.ranks())); ranks != wanted)
    return FailedPrecondition(
        fmt::format("a replica of this run is {} ranks (workers.tensor_parallel), this one is {}: "
                    "start it with mpirun -n {}",
                    wanted, ranks, wanted));
  if (request.pid() != 0) {  // it registered before: what it leased under that name goes back
    for (const std::string& earlier : context_.workers.OfProcess(request.host(), request.pid())) {
      context_.queue.Drop(earlier, false, "");
      context_.workers.Remove(earlier);
    }
  }
  SRLM_RETURN_IF_ERROR(CheckArithmetic(request));
  const schedule::Worker& worker = context_.workers.Join(request, Clock::now());
  const config::RunConfig& config = context_.config;
  auto response = Answer<v1::RegisterResponse>();
  response.set_worker_id(worker.worker_id);
  response.set_lease_timeout_ms(static_cast<uint32_t>(config.coordinator.lease_timeout_s * 1000));
  response.set_heartbeat_ms(std::clamp<uint32_t>(response.lease_timeout_ms() / 6, 100, kHeartbeatMs));
  response.set_orphan_timeout_ms(static_cast<uint32_t>(config.coordinator.orphan_timeout_s * 1000));
  response.mutable_engine()->set_threads(static_cast<uint32_t>(config.workers.threads));
  response.mutable_engine()->set_max_batch(static_cast<uint32_t>(config.workers.max_batch));
  response.mutable_engine()->set_kv_cache_mib(static_cast<uint32_t>(config.workers.kv_cache_mib));
  response.mutable_engine()->set_prefill_chunk_tokens(static_cast<uint32_t>(config.workers.prefill_chunk_tokens));
  response.mutable_engine()->set_page_tokens(static_cast<uint32_t>(config.workers.page_tokens));
  return Keep(context_.Event("info", machine_.round(), "worker_joined",
                             fmt::format("{} on {}, pid {}, {} ranks", worker.worker_id, request.host(), request.pid(),
                                         request.ranks())),
              std::move(response));
}

// Which bits the run's workers compute is noted with the first of them.
Status Desk::CheckArithmetic(const v1::RegisterRequest& request) {
  SRLM_ASSIGN_OR_RETURN(const std::string noted, context_.ledger.Fact("arithmetic"));
  const std::string theirs = fmt::format("{} {}", request.arithmetic(), request.device());
  if (noted.empty()) return Keep(context_.ledger.SetFact("arithmetic", theirs), 0).status();
  if (noted.substr(0, noted.find(' ')) == request.arithmetic()) return OkStatus();
  if (!context_.config.workers.same_arithmetic) return OkStatus();
  return FailedPrecondition(fmt::format(
      "this worker computes other bits ({}) than those that have worked for the run ({}): its results would depend on "
      "who made them. Use processors of one kind, or allow it with --set workers.same_arithmetic=false",
      theirs, noted));
}

// An engine that goes on is not stuck, whatever became of its leases.
void Desk::NoteStats(schedule::Worker& worker, const v1::WorkerStats& stats) {
  if (stats.steps() != worker.stats.steps()) NoteProgress(worker);
  worker.stats = stats;
}

void Desk::NoteProgress(schedule::Worker& worker) {
  if (!worker.overdue_since) return;
  worker.overdue_since.reset();
  context_.queue.Forgive(worker.worker_id);
}

// Training in local mode, or a program that judges, takes the cores of the workers that we started; others only put
// their model away.
bool Desk::MustLeave(const schedule::Worker& worker) const {
  const bool hands_in = machine_.cores_taken() || machine_.held() || machine_.ending();
  return machine_.dismissed() || (hands_in && !worker.launch_id.empty());
}

// An item of the queue with all that belongs to it; null when it cannot be made, and is set aside for that.
Result<const v1::Item*> Desk::Completed(const std::string& item_id) {
  const schedule::WorkItem* work = context_.queue.Find(item_id);
  if (work->item.work_case() != v1::Item::WORK_NOT_SET) return &work->item;
  Result<v1::Item> item = machine_.Complete(*work);
  if (item.ok()) {
    context_.queue.Complete(item_id, std::move(*item));
    return &context_.queue.Find(item_id)->item;
  }
  if (item.status().code() != Code::kInvalidArgument) return item.status();
  const schedule::WorkItem given_up = *work;
  context_.queue.Remove(item_id);
  SRLM_RETURN_IF_ERROR(context_.RecordFailedTries({{given_up, 0, true, item.status().message()}}));
  return nullptr;
}

Result<v1::LeaseResponse> Desk::Lease(const v1::LeaseRequest& request) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(request.epoch()));
  SRLM_ASSIGN_OR_RETURN(schedule::Worker * worker, WorkerOf(request.worker_id()));
  NoteStats(*worker, request.stats());
  auto response = Answer<v1::LeaseResponse>();
  if (MustLeave(*worker)) {
    response.set_directive(v1::DIRECTIVE_LEAVE);
    return response;
  }
  if (machine_.ending() || machine_.held()) {  // who was started by hand waits for the run to go on
    response.set_directive(v1::DIRECTIVE_WAIT);
    response.set_release_cores(machine_.held());
    response.set_retry_after_ms(kRetryTrainingMs);
    return response;
  }
  const schedule::Lease lease =
      context_.queue.LeaseTo(request.worker_id(), request.loaded_model_id(),
                             static_cast<int>(std::min(request.max_items(), 1u << 20)), Clock::now());
  response.set_directive(lease.items.empty() ? v1::DIRECTIVE_WAIT : v1::DIRECTIVE_WORK);
  if (lease.items.empty()) {
    response.set_release_cores(machine_.cores_taken());
    // Work that waits although none was given is an item to be leased alone, which is soon over.
    response.set_retry_after_ms(machine_.cores_taken()         ? kRetryTrainingMs
                                : context_.queue.waiting() > 0 ? kRetrySoonMs
                                                               : kRetryMs);
    return response;
  }
  if (lease.again) LogInfo("stragglers_leased_again", {{"worker", request.worker_id()}, {"items", lease.items.size()}});
  response.set_lease_id(lease.lease_id);
  std::vector<std::string> ids;
  for (const v1::Item* item : lease.items) ids.push_back(item->item_id());
  const std::string model_id = lease.items.front()->model_id();
  for (const std::string& id : ids) {
    const Result<const v1::Item*> item = Completed(id);
    if (!item.ok()) return Keep(item.status(), response);
    if (*item != nullptr) *response.add_items() = **item;
  }
  if (response.items().empty()) {  // none could be made
    response.set_directive(v1::DIRECTIVE_WAIT);
    return response;
  }
  const KnownModel* model = context_.models.FindById(model_id);
  v1::ModelRef& ref = *response.add_models();
  ref.set_model_id(model->model_id);
  ref.set_folder(model->folder);
  return response;
}

Result<v1::RenewResponse> Desk::Renew(const v1::RenewRequest& request) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(request.epoch()));
  SRLM_ASSIGN_OR_RETURN(schedule::Worker * worker, WorkerOf(request.worker_id()));
  NoteStats(*worker, request.stats());
  auto response = Answer<v1::RenewResponse>();
  const std::vector<std::string> leases(request.lease_ids().begin(), request.lease_ids().end());
  const schedule::Lost lost = context_.queue.Renew(request.worker_id(), leases, Clock::now());
  response.mutable_lost_lease_ids()->Assign(lost.lease_ids.begin(), lost.lease_ids.end());
  response.mutable_lost_item_ids()->Assign(lost.item_ids.begin(), lost.item_ids.end());
  response.set_directive(MustLeave(*worker) ? v1::DIRECTIVE_LEAVE : v1::DIRECTIVE_WORK);
  return response;
}

// One result: stored, dropped as a duplicate, or refused.
Status Desk::Take(const v1::ItemResult& result, const std::string& worker_id, v1::SubmitResponse& counts) {
  if (context_.queue.Find(result.item_id()) == nullptr)  // perhaps the queue was not filled so far yet
    SRLM_RETURN_IF_ERROR(machine_.Recall(result.item_id()).status());
  const v1::Item* item = nullptr;
  if (context_.queue.Find(result.item_id()) != nullptr) {
    SRLM_ASSIGN_OR_RETURN(item, Completed(result.item_id()));
  }
  if (item == nullptr) {  // finished already: first wins
    ++duplicates_;
    counts.set_duplicates(counts.duplicates() + 1);
    return context_.ledger.SetFact("duplicates", std::to_string(duplicates_));
  }
  const schedule::WorkItem work = *context_.queue.Find(result.item_id());
  std::string mismatch = Mismatch(work.item, result);
  std::vector<std::string> texts;
  if (mismatch.empty()) {
    auto decoded = context_.models.Texts(*context_.models.FindById(work.item.model_id()), result);
    if (!decoded.ok()) mismatch = "no text: " + decoded.status().message();
    if (decoded.ok()) texts = std::move(*decoded);
  }
  if (!mismatch.empty()) {
    counts.set_refused(counts.refused() + 1);
    const auto failed = context_.queue.FailTry(result.item_id(), "its result was " + mismatch);
    return context_.RecordFailedTries({*failed});
  }
  context_.queue.Finish(result.item_id(), result.lease_id(), Clock::now());
  counts.set_stored(counts.stored() + 1);
  if (result.error().empty()) return machine_.Store(work, {result, texts, worker_id}).status();
  return context_.RecordFailedTries({{work, 1, true, result.error()}});
}

Result<v1::SubmitResponse> Desk::Submit(const v1::SubmitRequest& request) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(request.epoch()));
  if (schedule::Worker* worker = context_.workers.Find(request.worker_id())) {
    worker->heard = Clock::now();
    if (!request.results().empty()) NoteProgress(*worker);
  }
  auto counts = Answer<v1::SubmitResponse>();
  std::vector<std::string> leases;
  for (const v1::ItemResult& result : request.results()) {
    leases.push_back(result.lease_id());
    if (const Status status = Take(result, request.worker_id(), counts); !status.ok()) return Keep(status, counts);
  }
  context_.queue.Renew(request.worker_id(), leases, Clock::now());  // it makes progress
  return counts;
}

Result<v1::LeaveResponse> Desk::Leave(const v1::LeaveRequest& request) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(request.epoch()));
  SRLM_RETURN_IF_ERROR(WorkerOf(request.worker_id()).status());
  context_.queue.Drop(request.worker_id(), false, "");
  context_.workers.Remove(request.worker_id());
  return Keep(context_.Event("info", machine_.round(), "worker_left", request.worker_id() + ": " + request.reason()),
              Answer<v1::LeaveResponse>());
}

template <class Report>
Result<Training*> Desk::TrainingOf(const Report& report) {
  SRLM_RETURN_IF_ERROR(CheckEpoch(report.epoch()));
  Training* training = machine_.training();
  if (training == nullptr || training->job().job_id != report.job_id())
    return FailedPrecondition(fmt::format("no training job \"{}\" runs now", report.job_id()));
  if (training->launch_id() != report.launch_id())
    return FailedPrecondition(fmt::format("launch \"{}\" of {} was given up; the present one is \"{}\"",
                                          report.launch_id(), report.job_id(), training->launch_id()));
  return training;
}

Result<v1::TrainingDirective> Desk::Progress(const v1::TrainingProgress& progress) {
  SRLM_ASSIGN_OR_RETURN(Training * training, TrainingOf(progress));
  auto directive = Answer<v1::TrainingDirective>();
  directive.set_stop(training->stop());
  ++training_reports_;
  return Keep(training->Progress(progress), std::move(directive));
}

Result<v1::TrainingAck> Desk::Done(const v1::TrainingDone& done) {
  SRLM_ASSIGN_OR_RETURN(Training * training, TrainingOf(done));
  // A folder that is not what the trainer says is the trainer's failure, not the ledger's.
  SRLM_RETURN_IF_ERROR(training->Done(done));
  return Answer<v1::TrainingAck>();
}

Result<v1::TrainingAck> Desk::Stopped(const v1::TrainingStopped& stopped) {
  SRLM_ASSIGN_OR_RETURN(Training * training, TrainingOf(stopped));
  return Keep(training->Stopped(stopped), Answer<v1::TrainingAck>());
}

Result<v1::TrainingAck> Desk::Failed(const v1::TrainingFailed& failed) {
  SRLM_ASSIGN_OR_RETURN(Training * training, TrainingOf(failed));
  return Keep(training->Failed(failed), Answer<v1::TrainingAck>());
}

}  // namespace srlm::rounds
