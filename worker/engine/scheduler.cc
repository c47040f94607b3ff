#include "worker/engine/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "common/base/clock.h"
#include "common/base/hash.h"

namespace srlm::worker {
namespace {

constexpr char kNotFinite[] =
    "the model's logits are not finite numbers: its weights are damaged, or training diverged";

}  // namespace

Scheduler::Scheduler(std::unique_ptr<ModelRunner> runner, const EngineOptions& options)
    : runner_(std::move(runner)),
      options_(options),
      cache_(runner_->pages(), runner_->page_tokens(), options.share_prefixes) {}

Scheduler::~Scheduler() = default;

void Scheduler::Submit(Request request) {
  stats_.prompt_tokens += static_cast<int64_t>(request.prompt_token_ids.size());
  waiting_.push_back(std::make_unique<Job>(std::move(request)));
}

bool Scheduler::Cancel(uint64_t id) {
  const auto asked = [&](const std::unique_ptr<Job>& job) { return job->request.id == id; };
  if (std::erase_if(waiting_, asked) > 0) return true;
  const auto found = std::ranges::find_if(running_, asked);
  if (found == running_.end()) return false;
  for (Sequence& sequence : (*found)->sequences) Finish(sequence);  // others may go on from what it computed
  running_.erase(found);
  return true;
}

Status Scheduler::CheckFits(const Job& job) const {
  SRLM_RETURN_IF_ERROR(CheckRequest(job.request, runner_->vocabulary_size(), runner_->context_tokens()));
  const int tokens = static_cast<int>(job.sequences.front().tokens.size());
  if (cache_.PagesFor(tokens) > cache_.pages()) {
    return ResourceExhausted(fmt::format("{} tokens do not fit into the KV cache of {}; raise kv_cache_mib", tokens,
                                         cache_.pages() * runner_->page_tokens()));
  }
  return OkStatus();
}

int Scheduler::ActiveSequences() const {
  return std::accumulate(running_.begin(), running_.end(), 0,
                         [](int sum, const auto& job) { return sum + job->Sequences(); });
}

int Scheduler::FreeSequences() const {
  int busy = ActiveSequences();
  for (const auto& job : waiting_) busy += job->Sequences();
  return std::max(0, options_.max_batch - busy);
}

void Scheduler::Admit() {
  int busy = ActiveSequences();
  while (!waiting_.empty()) {
    Job& job = *waiting_.front();
    job.status = CheckFits(job);
    const int more = job.status.ok() ? job.Sequences() : 0;
    if (busy > 0 && busy + more > options_.max_batch) return;
    busy += more;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

Status Scheduler::Step() {
  Admit();
  FinishJobs();  // those that cannot be done
  if (running_.empty()) return OkStatus();
  const auto begin = Clock::now();
  StepBatch batch;
  chunks_.clear();
  PlanDecode(batch);
  const size_t decode_rows = batch.tokens.size();
  PlanPrefill(batch);
  if (!batch.tokens.empty()) {
    StepOutput out;
    SRLM_RETURN_IF_ERROR(runner_->Run(batch, out));
    size_t sample = 0, score = 0;
    for (const Chunk& chunk : chunks_) ReadChunk(chunk, out, sample, score);
    ++stats_.steps;
    const double seconds = SecondsSince(begin);
    const double share = static_cast<double>(decode_rows) / static_cast<double>(batch.tokens.size());
    stats_.decode_seconds += seconds * share;
    stats_.prefill_seconds += seconds * (1 - share);
    stats_.prefilled_tokens += static_cast<int64_t>(batch.tokens.size() - decode_rows);
  }
  FinishJobs();
  return OkStatus();
}

// ---- Planning a step ------------------------------------------------------------------------------------------------

void Scheduler::PlanDecode(StepBatch& batch) {
  // 1. Room for one more token of every decoding sequence. The last ones may have to give way, so no rows yet.
  for (const auto& job : running_) {
    for (Sequence& sequence : job->sequences) {
      if (job->Decodes(sequence) && !MakeRoom(*job, sequence)) break;
    }
  }
  // 2. Their rows.
  for (const auto& job : running_) {
    for (size_t i = 0; i < job->sequences.size(); ++i) {
      if (job->Decodes(job->sequences[i])) AddChunk(*job, i, 1, batch);
    }
  }
}

bool Scheduler::MakeRoom(Job& job, Sequence& sequence) {
  while (!cache_.Grow(sequence.table, static_cast<int>(sequence.tokens.size()))) {
    Job* last_job = nullptr;
    Sequence* last = LastStarted(last_job);
    if (last == &sequence && started_ == 1) {
      Fail(job, ResourceExhausted(fmt::format("{} tokens do not fit into the KV cache of {}; raise kv_cache_mib",
                                              sequence.tokens.size(), cache_.pages() * runner_->page_tokens())));
      return false;
    }
    Park(*last_job, *last);
    if (last == &sequence) return false;
  }
  return true;
}

void Scheduler::PlanPrefill(StepBatch& batch) {
  AddPrefill(batch);
  // Prompts that hold each other's pages, so that none can go on: the last one starts again later.
  while (batch.tokens.empty()) {
    Job* job = nullptr;
    Sequence* last = LastStarted(job);
    if (last == nullptr) return;  // everything failed
    if (started_ == 1) {
      Fail(*job, ResourceExhausted("the prompt does not fit into the KV cache; raise kv_cache_mib"));
    } else {
      Park(*job, *last);
    }
    AddPrefill(batch);
  }
}

void Scheduler::AddPrefill(StepBatch& batch) {
  int budget = options_.prefill_chunk_tokens;
  for (const auto& job : running_) {
    for (size_t i = 0; i < job->sequences.size(); ++i) {
      Sequence& sequence = job->sequences[i];
      if (budget == 0) return;
      if (sequence.done || sequence.Rest() == 0) continue;
      if (!sequence.started) {
        if (!MayStart()) return;
        sequence.computed = cache_.Begin(sequence.tokens, job->MostCached(sequence), sequence.table);
        sequence.started = true;
        ++started_;
      }
      const int tokens = std::min(budget, sequence.Rest());
      // A prompt that finds no pages waits: sequences that decode give theirs back when they end.
      if (!cache_.Grow(sequence.table, sequence.computed + tokens)) return;
      AddChunk(*job, i, tokens, batch);
      budget -= tokens;
    }
  }
}

bool Scheduler::MayStart() const { return started_ == 0 || (!crowded_ && started_ < options_.max_batch); }

void Scheduler::AddChunk(Job& job, size_t index, int tokens, StepBatch& batch) {
  Sequence& sequence = job.sequences[index];
  const int row = static_cast<int>(batch.tokens.size());
  const int begin = sequence.computed, end = begin + tokens;
  batch.spans.push_back({row, tokens, begin, &sequence.table.pages});
  batch.tokens.insert(batch.tokens.end(), sequence.tokens.begin() + begin, sequence.tokens.begin() + end);
  sequence.computed = end;
  cache_.Share(sequence.table, sequence.tokens, end);
  chunks_.push_back({&job, index, tokens});

  const bool complete = sequence.Rest() == 0;
  const int logit_row = static_cast<int>(batch.logit_rows.size());
  if (const auto* work = std::get_if<SampleWork>(&job.request.work)) {
    if (!complete) return;
    batch.logit_rows.push_back(row + tokens - 1);
    const auto draw = [&](const RandomStream& stream, size_t position) {
      batch.samples.push_back({logit_row, work->temperature, work->top_p, stream.Uniform(position)});
    };
    if (job.samples.empty()) {
      for (const RandomStream& stream : work->streams) draw(stream, 0);
    } else {
      draw(work->streams[index], job.samples[index].token_ids.size());
    }
  } else if (const auto* choose = std::get_if<ChooseWork>(&job.request.work)) {
    if (!complete) return;
    batch.logit_rows.push_back(row + tokens - 1);
    for (const int token : choose->choice_token_ids) batch.scores.push_back({logit_row, token});
  } else {
    const auto& response = std::get<ScoreWork>(job.request.work).response_token_ids;
    const int prompt = static_cast<int>(job.request.prompt_token_ids.size());
    for (int at = std::max(begin, prompt - 1); at < end && !response.empty(); ++at) {
      batch.scores.push_back(
          {static_cast<int>(batch.logit_rows.size()), response[static_cast<size_t>(at - prompt + 1)]});
      batch.logit_rows.push_back(row + at - begin);
    }
  }
}

// ---- Pages ----------------------------------------------------------------------------------------------------------

Sequence* Scheduler::LastStarted(Job*& job) {
  for (auto at = running_.rbegin(); at != running_.rend(); ++at) {
    auto& sequences = (*at)->sequences;
    const auto found = std::find_if(sequences.rbegin(), sequences.rend(),
                                    [](const Sequence& sequence) { return sequence.started && !sequence.done; });
    if (found == sequences.rend()) continue;
    job = at->get();
    return &*found;
  }
  return nullptr;
}

void Scheduler::Park(Job& job, Sequence& sequence) {
  Release(sequence);
  sequence.started = false;
  sequence.computed = 0;
  job.values.clear();
  crowded_ = true;
  ++stats_.preempted;
}

void Scheduler::Release(Sequence& sequence) {
  if (!sequence.started) return;
  cache_.Share(sequence.table, sequence.tokens, sequence.computed);  // stays until the pages are needed
  cache_.Release(sequence.table);
  --started_;
}

void Scheduler::Finish(Sequence& sequence) {
  if (sequence.done) return;
  Release(sequence);
  sequence.done = true;
  crowded_ = false;
}

void Scheduler::Fail(Job& job, Status status) {
  for (Sequence& sequence : job.sequences) Finish(sequence);
  job.status = std::move(status);
}

// ---- Reading a step's results ---------------------------------------------------------------------------------------

void Scheduler::ReadChunk(const Chunk& chunk, const StepOutput& out, size_t& sample, size_t& score) {
  Job& job = *chunk.job;
  Sequence& sequence = job.sequences[chunk.sequence];
  const bool complete = sequence.Rest() == 0;
  if (const auto* work = std::get_if<SampleWork>(&job.request.work)) {
    if (!complete) return;
    const size_t first = sample;
    if (job.samples.empty()) {
      sample += work->streams.size();
      StartSamples(job, out, first);
    } else {
      ++sample;
      Append(job, chunk.sequence, out.samples[first]);
    }
    return;
  }
  if (const auto* choose = std::get_if<ChooseWork>(&job.request.work)) {
    if (complete) ReadScores(job, out, choose->choice_token_ids.size(), score);
  } else if (!std::get<ScoreWork>(job.request.work).response_token_ids.empty()) {
    const int prompt = static_cast<int>(job.request.prompt_token_ids.size());
    const int begin = std::max(sequence.computed - chunk.tokens, prompt - 1);
    ReadScores(job, out, static_cast<size_t>(std::max(0, sequence.computed - begin)), score);
  }
  if (complete) Finish(sequence);
}

void Scheduler::ReadScores(Job& job, const StepOutput& out, size_t count, size_t& score) {
  for (size_t i = 0; i < count; ++i) {
    job.values.push_back(out.scores[score++]);
    if (!std::isfinite(job.values.back())) Fail(job, InternalError(kNotFinite));
  }
}

void Scheduler::StartSamples(Job& job, const StepOutput& out, size_t first) {
  const size_t count = std::get<SampleWork>(job.request.work).streams.size();
  job.samples.resize(count);
  job.sequences.resize(count);
  const int prompt = job.sequences[0].computed;
  const std::vector<int> prompt_tokens = job.sequences[0].tokens;
  for (size_t i = 1; i < count; ++i) {
    Sequence& sequence = job.sequences[i];
    sequence.tokens = prompt_tokens;
    Append(job, i, out.samples[first + i]);
    if (sequence.done || !job.status.ok() || !MayStart()) continue;
    int from = -1, to = -1;
    if (!cache_.Fork(job.sequences[0].table, prompt, sequence.table, from, to)) {
      crowded_ = true;  // it starts later, from the prompt's pages
      continue;
    }
    if (from >= 0) runner_->CopyPage(from, to, prompt % runner_->page_tokens());
    sequence.computed = prompt;
    sequence.started = true;
    ++started_;
  }
  Append(job, 0, out.samples[first]);
}

void Scheduler::Append(Job& job, size_t index, const SampledToken& token) {
  if (!job.status.ok()) return;
  if (token.token < 0) return Fail(job, InternalError(kNotFinite));
  const auto& work = std::get<SampleWork>(job.request.work);
  Sequence& sequence = job.sequences[index];
  Sample& sample = job.samples[index];
  sequence.tokens.push_back(token.token);
  sample.token_ids.push_back(token.token);
  sample.token_logprobs.push_back(token.logprob);
  sample.logprob += static_cast<double>(token.logprob);
  ++stats_.generated_tokens;
  if (std::ranges::find(work.stop_token_ids, token.token) != work.stop_token_ids.end()) {
    sample.finish_reason = FinishReason::kStop;
  } else if (static_cast<int>(sample.token_ids.size()) >= work.max_new_tokens ||
             static_cast<int>(sequence.tokens.size()) >= runner_->context_tokens()) {
    sample.finish_reason = FinishReason::kLength;
  } else {
    return;
  }
  Finish(sequence);
}

void Scheduler::FinishJobs() {
  std::erase_if(running_, [&](std::unique_ptr<Job>& job) {
    if (!job->Done()) return false;
    Response response;
    response.id = job->request.id;
    response.status = std::move(job->status);
    if (response.status.ok()) {
      response.samples = std::move(job->samples);
      auto& values =
          std::holds_alternative<ChooseWork>(job->request.work) ? response.choice_logprobs : response.token_logprobs;
      values = std::move(job->values);
      const size_t prompt = job->request.prompt_token_ids.size();
      response.prompt_hash = Sha256Tokens(std::span(job->sequences.front().tokens).first(prompt));
    }
    finished_.push_back(std::move(response));
    return true;
  });
}

std::vector<Response> Scheduler::TakeFinished() { return std::exchange(finished_, {}); }

}  // namespace srlm::worker
