// Continuous batching: each step takes one token of every decoding sequence and a chunk of waiting prompts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "worker/engine/cache_manager.h"
#include "worker/engine/engine.h"
#include "worker/engine/job.h"
#include "worker/engine/model_runner.h"
#include "worker/engine/request.h"

namespace srlm::worker {

/// Chooses what runs in a step. A prompt is computed once for all samples of its request, and pages of equal prefixes
/// are shared between requests, also while they are still being computed: within a step a layer's keys and values
/// are all written before any row reads them.
///
/// Where the cache is too small for all, sequences come first that were admitted first: the last one gives up its
/// pages, keeps its tokens, and computes their keys again later. So a request fails for want of room only when one of
/// its sequences does not fit alone, and what a sequence becomes never depends on the cache.
class Scheduler {
 public:
  Scheduler(std::unique_ptr<ModelRunner> runner, const EngineOptions& options);
  ~Scheduler();

  void Submit(Request request);
  bool Cancel(uint64_t id);
  Status Step();
  std::vector<Response> TakeFinished();

  bool HasWork() const { return !waiting_.empty() || !running_.empty(); }
  int FreeSequences() const;
  int WaitingRequests() const { return static_cast<int>(waiting_.size()); }
  int ActiveSequences() const;
  const EngineStats& stats() const { return stats_; }
  const ModelRunner& runner() const { return *runner_; }

 private:
  /// Rows of one sequence in the current batch.
  struct Chunk {
    Job* job;
    size_t sequence;  // of the job
    int tokens;
  };

  Status CheckFits(const Job& job) const;
  void Admit();
  void PlanDecode(StepBatch& batch);
  void PlanPrefill(StepBatch& batch);
  void AddPrefill(StepBatch& batch);
  void AddChunk(Job& job, size_t index, int tokens, StepBatch& batch);
  bool MayStart() const;
  bool MakeRoom(Job& job, Sequence& sequence);
  Sequence* LastStarted(Job*& job);
  void Park(Job& job, Sequence& sequence);
  void Release(Sequence& sequence);
  void Fail(Job& job, Status status);

  void ReadChunk(const Chunk& chunk, const StepOutput& out, size_t& sample, size_t& score);
  void ReadScores(Job& job, const StepOutput& out, size_t count, size_t& score);
  void StartSamples(Job& job, const StepOutput& out, size_t first);
  void Append(Job& job, size_t index, const SampledToken& token);
  void Finish(Sequence& sequence);
  void FinishJobs();

  std::unique_ptr<ModelRunner> runner_;
  const EngineOptions options_;
  CacheManager cache_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> running_;  // in order of admission
  std::vector<Chunk> chunks_;                  // of the current batch, in its order
  std::vector<Response> finished_;
  int started_ = 0;       // sequences that have pages
  bool crowded_ = false;  // a sequence found no page; until one ends no other starts, it would only be driven out again
  EngineStats stats_;
};

}  // namespace srlm::worker
