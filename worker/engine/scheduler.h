// Continuous batching: each step takes one token of every decoding sequence and a chunk of waiting prompts.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "worker/engine/cache_manager.h"
#include "worker/engine/engine.h"
#include "worker/engine/model_runner.h"
#include "worker/engine/request.h"

namespace srlm::worker {

/// Chooses what runs in a step. A prompt is computed once for all samples of its request, and pages of equal prefixes
/// are shared between requests, also while they are still being computed: within a step a layer's keys and values
/// are all written before any row reads them.
class Scheduler {
 public:
  Scheduler(std::unique_ptr<ModelRunner> runner, const EngineOptions& options);
  ~Scheduler();

  void Submit(Request request);
  Status Step();
  std::vector<Response> TakeFinished();

  bool HasWork() const { return !waiting_.empty() || !running_.empty(); }
  int FreeSequences() const;
  int WaitingRequests() const { return static_cast<int>(waiting_.size()); }
  int ActiveSequences() const;
  const EngineStats& stats() const { return stats_; }
  const ModelRunner& runner() const { return *runner_; }

 private:
  /// One sample of a request, decoding.
  struct Branch {
    PageTable table;
    Sample sample;
    bool done = false;
  };
  /// A request that runs.
  struct Job {
    Request request;
    std::vector<int> tokens;       // what is prefilled: the prompt, and for ScoreWork all of the response but its end
    PageTable table;               // until the prompt is computed; then the branches have their own
    int computed = 0;              // of tokens
    bool started = false;          // its cached prefix has been looked up
    std::vector<Branch> branches;  // of SampleWork, once the prompt is computed
    std::vector<double> values;    // of ChooseWork and ScoreWork
    bool Prefilling() const { return branches.empty(); }
    int Sequences() const;
  };
  /// A prompt chunk in the current batch.
  struct Chunk {
    Job* job;
    int tokens;
  };

  Status CheckFits(const Job& job) const;
  void Admit();
  void PlanDecode(StepBatch& batch);
  void PlanPrefill(StepBatch& batch, std::vector<Chunk>& chunks);
  void AddChunk(Job& job, int tokens, StepBatch& batch);
  bool MakeRoom(Job& job, PageTable& table, int tokens);
  void Restart(std::unique_ptr<Job> job);
  void ReadDecode(const StepOutput& out);
  void ReadChunk(const Chunk& chunk, const StepOutput& out, size_t& sample, size_t& score);
  bool StartBranches(Job& job, const StepOutput& out, size_t& sample);
  void Append(Job& job, Branch& branch, const SampledToken& token);
  void FinishJobs();
  void Fail(std::unique_ptr<Job> job, Status status);

  std::unique_ptr<ModelRunner> runner_;
  const EngineOptions options_;
  CacheManager cache_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> running_;  // in order of admission
  std::vector<Branch*> decoding_;              // rows of the current batch
  std::vector<Job*> decoding_jobs_;            // their jobs
  std::vector<Response> finished_;
  EngineStats stats_;
};

}  // namespace srlm::worker
