#include "tests/fuzz/coordinator_run.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cmath>
#include <filesystem>

#include "common/base/check.h"
#include "common/base/hash.h"

namespace srlm::fuzz {
namespace {

constexpr char kConfig[] = R"(
name: fuzz
model: {model}
run: {{iterations: 1}}
data: {{ift: ift.jsonl, prompts: prompts.jsonl, evaluation: ranked.jsonl}}
prompts: {{per_round: 3, new_per_round: 1, wave_size: 2, demonstrations_seed: 1, demonstrations_generated: 1, min_words: 2}}
generation: {{samples: 2, max_new_tokens: 12}}
judge: {{votes: 2, max_new_tokens: 12}}
evaluation: {{verdict: expected, sampled_votes: 1}}
pairs: {{min_pairs_per_round: 1}}
coordinator: {{max_item_tries: 2}}
)";
constexpr uint64_t kEpoch = 1;
constexpr char kRunId[] = "run";

void CheckOk(const Status& status) { SRLM_CHECK(status.ok(), status.message()); }

/// The value of a result that must be one.
template <class T>
T Value(Result<T> result) {
  CheckOk(result.status());
  return std::move(result).value();
}

std::string PromptHash(const v1::Item& item) {
  return Sha256Tokens(std::vector<int>(item.prompt_token_ids().begin(), item.prompt_token_ids().end()));
}

/// Keeps the parser from printing what is wrong with each input.
class NoErrors final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

bool Parse(const std::string& text, google::protobuf::Message& message) {
  NoErrors errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  // Through the wire, where gRPC refuses what is not UTF-8.
  std::string wire;
  return parser.ParseFromString(text, &message) && message.SerializeToString(&wire) && message.ParseFromString(wire);
}

}  // namespace

RunFiles::RunFiles() : model_(ReferenceModel("smollm2")) {
  folder_.Write("ift.jsonl", "{\"prompt\": \"Seed one?\", \"completion\": \"Yes.\"}\n");
  folder_.Write("prompts.jsonl",
                "{\"prompt_id\": \"a\", \"prompt\": \"Given a?\"}\n{\"prompt_id\": \"b\", \"prompt\": \"Given b?\"}\n");
  folder_.Write("ranked.jsonl",
                "{\"prompt_id\": \"r\", \"prompt\": \"Rank\", \"response\": \"R 0\", \"score\": 0}\n"
                "{\"prompt_id\": \"r\", \"prompt\": \"Rank\", \"response\": \"R 1\", \"score\": 1}\n");
  config_ = std::make_unique<config::RunConfig>(
      Value(config::Parse(fmt::format(kConfig, fmt::arg("model", model_)), "fuzz.yaml", folder())));
  inputs_ = std::make_unique<rounds::Inputs>(Value(rounds::LoadInputs(*config_)));
  for (const bool has_model : {false, true}) {
    const auto ledger = Value(ledger::Ledger::Open(folder()));
    const auto models = Value(rounds::ModelBook::Open(*config_, folder(), *ledger));
    if (has_model) CheckOk(models->AddTrained("M1", model_, models->Find("M0")->model_id, "sft").status());
    CheckOk(ledger->Commit());
    std::filesystem::copy_file(folder() + "/ledger.sqlite", LedgerFile(has_model));
  }
}

std::string RunFiles::LedgerFile(bool has_model) const {
  return folder() + (has_model ? "/round-1.sqlite" : "/begin.sqlite");
}

void RunFiles::Reset(bool has_model) const {
  for (const char* made : {"jobs", "models", "ledger.sqlite-journal"})
    std::filesystem::remove_all(folder() + "/" + made);
  std::filesystem::copy_file(LedgerFile(has_model), folder() + "/ledger.sqlite",
                             std::filesystem::copy_options::overwrite_existing);
}

CoordinatorRun::CoordinatorRun(const RunFiles& files, bool has_model)
    : files_(files),
      ledger_((files.Reset(has_model), Value(ledger::Ledger::Open(files.folder())))),
      models_(Value(rounds::ModelBook::Open(files.config(), files.folder(), *ledger_))),
      queue_({std::chrono::seconds(120), files.config().coordinator.lease_items, 2}),
      workers_(kEpoch),
      context_{files.config(), files.folder(), kRunId,   kEpoch,       *ledger_, *models_,
               files.inputs(), queue_,         workers_, [](auto&) {}, {}},
      machine_(context_, nullptr, "/programs"),
      desk_(context_, machine_),
      controls_(context_),
      board_(context_, machine_, desk_, controls_) {
  Advance(0);
}

void CoordinatorRun::Advance(double seconds) {
  now_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const auto state = machine_.Advance(now_);
  // A trainer may say that its job cannot be done; nothing else that is said ends a run.
  const bool job_failed = machine_.training() != nullptr && machine_.training()->row().state == "failed";
  SRLM_CHECK(state.ok() || job_failed, state.status().message());
}

std::optional<v1::Item> CoordinatorRun::Whole(const std::string& item_id) const {
  const schedule::WorkItem* work = queue_.Find(item_id);
  if (work == nullptr) return std::nullopt;
  if (work->item.work_case() != v1::Item::WORK_NOT_SET) return work->item;
  const auto item = machine_.Complete(*work);
  return item.ok() ? std::optional(*item) : std::nullopt;
}

// A worker knows what it leased and a trainer its job: "=" stands for what fits.
void CoordinatorRun::Complete(v1::SubmitRequest& request) {
  for (v1::ItemResult& result : *request.mutable_results()) {
    const std::optional<v1::Item> item = Whole(result.item_id());
    if (!item) continue;
    if (result.model_id() == "=") result.set_model_id(item->model_id());
    if (result.prompt_hash() == "=") result.set_prompt_hash(PromptHash(*item));
    if (result.subject_hash() == "=") result.set_subject_hash(item->subject_hash());
  }
}

void CoordinatorRun::Complete(v1::TrainingDone& done) {
  if (machine_.training() == nullptr) return;
  if (done.model_id() == "=") done.set_model_id(models_->Find("M0")->model_id);
  if (done.model_folder() == "=") done.set_model_folder(rounds::OutputFolder(context_, machine_.training()->job()));
}

template <class Request, class Call>
void CoordinatorRun::Ask(const std::string& text, Call call) {
  Request request;
  if (!Parse(text, request)) return;
  if constexpr (requires { Complete(request); }) Complete(request);
  const auto answer = call(request);
  SRLM_CHECK(answer.ok() || !answer.status().message().empty(), text);
  CheckOk(desk_.failure());
}

void CoordinatorRun::Say(const std::string& kind, const std::string& text) {
  if (kind == "register") return Ask<v1::RegisterRequest>(text, [&](auto& r) { return desk_.Register(r); });
  if (kind == "lease") return Ask<v1::LeaseRequest>(text, [&](auto& r) { return desk_.Lease(r); });
  if (kind == "renew") return Ask<v1::RenewRequest>(text, [&](auto& r) { return desk_.Renew(r); });
  if (kind == "leave") return Ask<v1::LeaveRequest>(text, [&](auto& r) { return desk_.Leave(r); });
  if (kind == "progress") return Ask<v1::TrainingProgress>(text, [&](auto& r) { return desk_.Progress(r); });
  if (kind == "done") return Ask<v1::TrainingDone>(text, [&](auto& r) { return desk_.Done(r); });
  if (kind == "failed") return Ask<v1::TrainingFailed>(text, [&](auto& r) { return desk_.Failed(r); });
  if (kind == "list") return Ask<v1::ListRequest>(text, [&](auto& r) { return board_.List(r); });
  if (kind == "status") return Ask<v1::GetStatusRequest>(text, [&](auto&) { return board_.GetStatus(); });
  if (kind != "submit") return;
  Ask<v1::SubmitRequest>(text, [&](auto& request) {
    const auto counts = desk_.Submit(request);
    if (counts.ok())
      SRLM_CHECK(
          counts->stored() + counts->duplicates() + counts->refused() == static_cast<uint32_t>(request.results_size()),
          "a result that is neither stored nor refused");
    return counts;
  });
}

void CoordinatorRun::AnswerOne(uint64_t seed) {
  const auto lease = queue_.LeaseTo("answers", "", 1, now_);
  if (lease.items.empty()) return;
  const std::optional<v1::Item> leased = Whole(lease.items.front()->item_id());
  if (!leased) return;
  const v1::Item& item = *leased;
  v1::SubmitRequest request;
  request.set_epoch(kEpoch);
  v1::ItemResult& result = *request.add_results();
  result.set_item_id(item.item_id());
  result.set_model_id(item.model_id());
  result.set_lease_id(lease.lease_id);
  result.set_subject_hash(item.subject_hash());
  result.set_prompt_hash(PromptHash(item));
  const text::Chat& chat = *Value(models_->ChatOf(*models_->Find("M0")));
  for (int i = 0; i < item.sample().stream_keys_size(); ++i) {
    const auto ids = Value(chat.RawTokens(fmt::format("Explain {} to me.\nScore: {}", seed + i, (seed + i) % 6)));
    v1::SampleOutput& sample = *result.add_samples();
    sample.mutable_token_ids()->Assign(ids.begin(), ids.end());
    sample.set_finish_reason(v1::FINISH_REASON_STOP);
    sample.set_logprob(-1);
  }
  for (int i = 0; i < item.choose().choice_token_ids_size(); ++i)
    result.add_choice_logprobs(-static_cast<double>((seed + i) % 6));
  const auto counts = desk_.Submit(request);
  SRLM_CHECK(counts.ok() && counts->stored() == 1, counts.status().message());
}

void CoordinatorRun::MakeModel() {
  const rounds::Training* training = machine_.training();
  if (training == nullptr) return;
  std::filesystem::create_directories(files_.folder() + "/models");
  std::error_code there;
  std::filesystem::create_directory_symlink(files_.model(), rounds::OutputFolder(context_, training->job()), there);
}

void CoordinatorRun::CheckTables() {
  for (const char* table : {"prompts", "candidates", "pairs", "rounds", "events"})
    Say("list", fmt::format("table: \"{}\"", table));
  Say("status", "");
  for (const ledger::CandidateRow& row : Value(ledger_->Candidates(0))) {
    SRLM_CHECK(std::isfinite(row.logprob), row.prompt_id);
    SRLM_CHECK(!row.score || (*row.score >= 0 && *row.score <= 5), row.prompt_id);
  }
  for (const ledger::VoteRow& row : Value(ledger_->Votes(0))) {
    const auto judged = Value(ledger_->Candidate(row.round, row.position, row.sample));
    SRLM_CHECK(judged && judged->token_hash == row.subject_hash, judged ? judged->prompt_id : "no candidate");
    SRLM_CHECK(!row.score || (*row.score >= 0 && *row.score <= 5), judged->prompt_id);
  }
  for (const ledger::PromptRow& row : Value(ledger_->Prompts(1))) {
    if (row.state == "failed" || queue_.Find(fmt::format("1/candidate/{}", row.prompt_id)) != nullptr) continue;
    SRLM_CHECK(Value(ledger_->CandidatesOf(1, row.position)).size() == 2, row.prompt_id + ": answers were lost");
  }
  for (const ledger::EvaluationVoteRow& row : Value(ledger_->EvaluationVotes("M1")))
    SRLM_CHECK(!row.score || (*row.score >= 0 && *row.score <= 5), row.state);
}

}  // namespace srlm::fuzz
