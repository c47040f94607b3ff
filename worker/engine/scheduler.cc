#include "worker/engine/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "common/base/clock.h"

namespace srlm::worker {

int Scheduler::Job::Sequences() const {
  const auto* sampling = std::get_if<SampleWork>(&request.work);
  if (sampling == nullptr) return 0;
  if (branches.empty()) return static_cast<int>(sampling->streams.size());
  return static_cast<int>(std::ranges::count_if(branches, [](const Branch& branch) { return !branch.done; }));
}

Scheduler::Scheduler(std::unique_ptr<ModelRunner> runner, const EngineOptions& options)
    : runner_(std::move(runner)),
      options_(options),
      cache_(runner_->pages(), runner_->page_tokens(), options.share_prefixes) {}

Scheduler::~Scheduler() = default;

void Scheduler::Submit(Request request) {
  auto job = std::make_unique<Job>();
  job->tokens = request.prompt_token_ids;
  if (const auto* score = std::get_if<ScoreWork>(&request.work);
      score != nullptr && !score->response_token_ids.empty()) {
    job->tokens.insert(job->tokens.end(), score->response_token_ids.begin(), score->response_token_ids.end() - 1);
  }
  stats_.prompt_tokens += static_cast<int64_t>(request.prompt_token_ids.size());
  job->request = std::move(request);
  waiting_.push_back(std::move(job));
}

Status Scheduler::CheckFits(const Job& job) const {
  const int tokens = static_cast<int>(job.tokens.size());
  if (job.request.prompt_token_ids.empty()) return InvalidArgument("the prompt has no token");
  for (const int token : job.tokens) {
    if (token < 0 || token >= runner_->vocabulary_size()) {
      return InvalidArgument(
          fmt::format("token id {} is outside the vocabulary of {}", token, runner_->vocabulary_size()));
    }
  }
  if (tokens + 1 > runner_->context_tokens()) {
    return InvalidArgument(
        fmt::format("{} tokens leave no room in the model's context of {}", tokens, runner_->context_tokens()));
  }
  if (cache_.PagesFor(tokens + 1) > cache_.pages()) {
    return ResourceExhausted(fmt::format("{} tokens do not fit into the KV cache of {}; raise kv_cache_mib", tokens,
                                         cache_.pages() * runner_->page_tokens()));
  }
  return OkStatus();
}

int Scheduler::ActiveSequences() const {
  return std::accumulate(running_.begin(), running_.end(), 0, [](int sum, const auto& job) {
    return sum + std::max(job->Sequences(), job->Prefilling() ? 1 : 0);
  });
}

int Scheduler::FreeSequences() const {
  int busy = ActiveSequences();
  for (const auto& job : waiting_) busy += std::max(1, job->Sequences());
  return std::max(0, options_.max_batch - busy);
}

void Scheduler::Admit() {
  int busy = ActiveSequences();
  while (!waiting_.empty()) {
    Job& job = *waiting_.front();
    if (const Status fits = CheckFits(job); !fits.ok()) {
      auto failed = std::move(waiting_.front());
      waiting_.pop_front();
      Fail(std::move(failed), fits);
      continue;
    }
    const int more = std::max(1, job.Sequences());
    if (busy > 0 && busy + more > options_.max_batch) return;
    busy += more;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

Status Scheduler::Step() {
  Admit();
  if (running_.empty()) return OkStatus();
  const auto begin = Clock::now();
  StepBatch batch;
  std::vector<Chunk> chunks;
  PlanDecode(batch);
  const double decode_rows = static_cast<double>(batch.tokens.size());
  PlanPrefill(batch, chunks);
  if (batch.tokens.empty()) return OkStatus();
  StepOutput out;
  SRLM_RETURN_IF_ERROR(runner_->Run(batch, out));

  ReadDecode(out);
  size_t sample = decoding_.size(), score = 0;
  for (const Chunk& chunk : chunks) ReadChunk(chunk, out, sample, score);
  FinishJobs();

  ++stats_.steps;
  const double seconds = SecondsSince(begin);
  const double share = decode_rows / static_cast<double>(batch.tokens.size());
  stats_.decode_seconds += seconds * share;
  stats_.prefill_seconds += seconds * (1 - share);
  stats_.prefilled_tokens += static_cast<int64_t>(batch.tokens.size() - decoding_.size());
  return OkStatus();
}

// ---- Planning a step ------------------------------------------------------------------------------------------------

bool Scheduler::MakeRoom(Job& job, PageTable& table, int tokens) {
  while (!cache_.Grow(table, tokens)) {
    // The job that came last starts again later; counted random numbers make its samples the same.
    if (running_.back().get() == &job) return false;
    Restart(std::move(running_.back()));
    running_.pop_back();
  }
  return true;
}

void Scheduler::Restart(std::unique_ptr<Job> job) {
  cache_.Release(job->table);
  for (Branch& branch : job->branches) cache_.Release(branch.table);
  job->branches.clear();
  job->values.clear();
  job->computed = 0;
  job->started = false;
  waiting_.push_front(std::move(job));
}

void Scheduler::PlanDecode(StepBatch& batch) {
  decoding_.clear();
  decoding_jobs_.clear();
  // 1. Room for one more token of every decoding sequence. The last job may have to give way, so no rows yet.
  for (size_t i = 0; i < running_.size(); ++i) {
    Job& job = *running_[i];
    const int prompt = static_cast<int>(job.tokens.size());
    for (Branch& branch : job.branches) {
      if (branch.done) continue;
      if (MakeRoom(job, branch.table, prompt + static_cast<int>(branch.sample.token_ids.size()))) continue;
      auto last = std::move(running_.back());
      running_.pop_back();
      if (running_.empty()) {
        Fail(std::move(last), ResourceExhausted("the samples do not fit into the KV cache; raise kv_cache_mib"));
      } else {
        Restart(std::move(last));
      }
      break;
    }
  }
  // 2. Their rows.
  for (const auto& job : running_) {
    const auto* work = std::get_if<SampleWork>(&job->request.work);
    for (size_t i = 0; i < job->branches.size(); ++i) {
      Branch& branch = job->branches[i];
      if (branch.done) continue;
      const int generated = static_cast<int>(branch.sample.token_ids.size());
      const int row = static_cast<int>(batch.tokens.size());
      batch.spans.push_back({row, 1, static_cast<int>(job->tokens.size()) + generated - 1, &branch.table.pages});
      batch.tokens.push_back(branch.sample.token_ids.back());
      batch.samples.push_back({static_cast<int>(batch.logit_rows.size()), work->temperature, work->top_p,
                               work->streams[i].Uniform(static_cast<uint64_t>(generated))});
      batch.logit_rows.push_back(row);
      decoding_.push_back(&branch);
      decoding_jobs_.push_back(job.get());
    }
  }
}

void Scheduler::PlanPrefill(StepBatch& batch, std::vector<Chunk>& chunks) {
  int budget = options_.prefill_chunk_tokens;
  for (size_t i = 0; i < running_.size() && budget > 0; ++i) {
    Job& job = *running_[i];
    if (!job.Prefilling()) continue;
    const int total = static_cast<int>(job.tokens.size());
    if (!job.started) {
      // The last token is always computed: its logits are wanted. Of a scored response, all are.
      const int last = std::holds_alternative<ScoreWork>(job.request.work)
                           ? static_cast<int>(job.request.prompt_token_ids.size()) - 1
                           : total - 1;
      job.computed = cache_.Begin(job.tokens, last, job.table);
      job.started = true;
    }
    const int tokens = std::min(budget, total - job.computed);
    // A prompt that finds no pages waits: sequences that decode give theirs back when they end.
    if (!cache_.Grow(job.table, job.computed + tokens)) break;
    AddChunk(job, tokens, batch);
    chunks.push_back({&job, tokens});
    budget -= tokens;
  }
  if (batch.tokens.empty() && !running_.empty()) {
    // Prompts hold each other's pages and none can go on: the last one starts again.
    auto last = std::move(running_.back());
    running_.pop_back();
    if (running_.empty()) {
      Fail(std::move(last), ResourceExhausted("the prompt does not fit into the KV cache; raise kv_cache_mib"));
    } else {
      Restart(std::move(last));
    }
  }
}

void Scheduler::AddChunk(Job& job, int tokens, StepBatch& batch) {
  const int row = static_cast<int>(batch.tokens.size());
  const int begin = job.computed, end = begin + tokens;
  batch.spans.push_back({row, tokens, begin, &job.table.pages});
  batch.tokens.insert(batch.tokens.end(), job.tokens.begin() + begin, job.tokens.begin() + end);
  job.computed = end;
  cache_.Share(job.table, job.tokens, end);

  const bool complete = end == static_cast<int>(job.tokens.size());
  const int logit_row = static_cast<int>(batch.logit_rows.size());
  if (const auto* work = std::get_if<SampleWork>(&job.request.work)) {
    if (!complete) return;
    batch.logit_rows.push_back(row + tokens - 1);
    for (const RandomStream& stream : work->streams) {
      batch.samples.push_back({logit_row, work->temperature, work->top_p, stream.Uniform(0)});
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

// ---- Reading a step's results ---------------------------------------------------------------------------------------

void Scheduler::ReadDecode(const StepOutput& out) {
  for (size_t i = 0; i < decoding_.size(); ++i) Append(*decoding_jobs_[i], *decoding_[i], out.samples[i]);
}

void Scheduler::ReadChunk(const Chunk& chunk, const StepOutput& out, size_t& sample, size_t& score) {
  Job& job = *chunk.job;
  const bool complete = job.computed == static_cast<int>(job.tokens.size());
  if (std::holds_alternative<SampleWork>(job.request.work)) {
    if (complete && !StartBranches(job, out, sample)) {
      const auto at = std::ranges::find_if(running_, [&](const auto& other) { return other.get() == &job; });
      auto restarted = std::move(*at);
      running_.erase(at);
      Restart(std::move(restarted));
    }
    return;
  }
  if (const auto* choose = std::get_if<ChooseWork>(&job.request.work)) {
    if (!complete) return;
    for (size_t i = 0; i < choose->choice_token_ids.size(); ++i) job.values.push_back(out.scores[score++]);
    return;
  }
  const int prompt = static_cast<int>(job.request.prompt_token_ids.size());
  const bool scored = !std::get<ScoreWork>(job.request.work).response_token_ids.empty();
  const int begin = std::max(job.computed - chunk.tokens, prompt - 1);
  for (int at = begin; at < job.computed && scored; ++at) job.values.push_back(out.scores[score++]);
}

bool Scheduler::StartBranches(Job& job, const StepOutput& out, size_t& sample) {
  const size_t count = std::get<SampleWork>(job.request.work).streams.size();
  const int prompt = static_cast<int>(job.tokens.size());
  const size_t first = sample;
  sample += count;
  std::vector<Branch> branches(count);
  for (size_t i = 1; i < count; ++i) {
    int from = -1, to = -1;
    if (!cache_.Fork(job.table, prompt, branches[i].table, from, to)) {
      for (Branch& branch : branches) cache_.Release(branch.table);
      return false;
    }
    if (from >= 0) runner_->CopyPage(from, to, prompt % runner_->page_tokens());
  }
  branches[0].table = std::move(job.table);
  job.table = {};
  job.branches = std::move(branches);
  for (size_t i = 0; i < count; ++i) Append(job, job.branches[i], out.samples[first + i]);
  return true;
}

void Scheduler::Append(Job& job, Branch& branch, const SampledToken& token) {
  const auto& work = std::get<SampleWork>(job.request.work);
  Sample& sample = branch.sample;
  sample.token_ids.push_back(token.token);
  sample.token_logprobs.push_back(token.logprob);
  sample.logprob += static_cast<double>(token.logprob);
  ++stats_.generated_tokens;
  const int generated = static_cast<int>(sample.token_ids.size());
  const int length = static_cast<int>(job.tokens.size()) + generated;
  if (std::ranges::find(work.stop_token_ids, token.token) != work.stop_token_ids.end()) {
    sample.finish_reason = FinishReason::kStop;
  } else if (generated >= work.max_new_tokens || length >= runner_->context_tokens()) {
    sample.finish_reason = FinishReason::kLength;
  } else {
    return;
  }
  branch.done = true;
  std::vector<int> all = job.tokens;
  all.insert(all.end(), sample.token_ids.begin(), sample.token_ids.end());
  cache_.Share(branch.table, all, length - 1);  // the last token's keys were never computed
  cache_.Release(branch.table);
}

void Scheduler::FinishJobs() {
  std::erase_if(running_, [&](std::unique_ptr<Job>& job) {
    if (job->computed < static_cast<int>(job->tokens.size())) return false;
    if (std::holds_alternative<SampleWork>(job->request.work) && job->Sequences() > 0) return false;
    Response response;
    response.id = job->request.id;
    for (Branch& branch : job->branches) response.samples.push_back(std::move(branch.sample));
    if (std::holds_alternative<ChooseWork>(job->request.work)) response.choice_logprobs = std::move(job->values);
    if (std::holds_alternative<ScoreWork>(job->request.work)) response.token_logprobs = std::move(job->values);
    cache_.Release(job->table);
    finished_.push_back(std::move(response));
    return true;
  });
}

void Scheduler::Fail(std::unique_ptr<Job> job, Status status) {
  cache_.Release(job->table);
  for (Branch& branch : job->branches) cache_.Release(branch.table);
  Response response;
  response.id = job->request.id;
  response.status = std::move(status);
  finished_.push_back(std::move(response));
}

std::vector<Response> Scheduler::TakeFinished() { return std::exchange(finished_, {}); }

}  // namespace srlm::worker
