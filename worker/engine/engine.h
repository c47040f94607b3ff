// Generation, judging and scoring by continuous batching over a paged KV cache whose pages are shared by prefix.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "worker/engine/model_runner.h"
#include "worker/engine/request.h"

namespace srlm::worker {

class GroupLeader;

struct EngineOptions {
  ComputeOptions compute;
  int max_batch = 64;              // sequences that decode at once
  int64_t kv_cache_bytes = 0;      // 0 = enough for max_batch sequences of 512 tokens, at most a quarter of memory
  int prefill_chunk_tokens = 256;  // most prompt tokens in one step, beside the decoding ones
  int page_tokens = 16;            // tokens in one page of the cache
  bool share_prefixes = true;      // false: every prompt is computed anew (for measuring)
  GroupLeader* group = nullptr;    // ranks that hold the model with this one; it outlives the engine. Null: none
  std::string model_id;            // what the model folder must be by content on the other ranks; empty: not asked
};

/// Counts since the engine was made.
struct EngineStats {
  int64_t generated_tokens = 0;  // sampled, stop tokens included
  int64_t prompt_tokens = 0;     // of all finished or running requests, each sample's prompt counted once a request
  int64_t prefilled_tokens = 0;  // tokens computed in chunks: of prompts, and of sequences that had to start again
  int64_t preempted = 0;         // times that a sequence gave up its pages to another one
  int64_t steps = 0;
  double prefill_seconds = 0;  // a mixed step's time is divided by its rows
  double decode_seconds = 0;
};

class Scheduler;

/// One model and its cache. Single-threaded towards the caller: all calls from one thread; the work of a step is
/// spread over `threads`.
class Engine {
 public:
  /// Loads the weights of `model_folder` (a Hugging Face folder); `progress` is called after each tensor. Errors name
  /// the file and what is wrong with it.
  static Result<std::unique_ptr<Engine>> Create(
      const std::string& model_folder, const EngineOptions& options, const std::function<void()>& progress = [] {});
  ~Engine();

  /// Queues a request. Requests that can never fit are answered with a status by the next Step.
  void Submit(Request request);

  /// Forgets a request that is not finished, and frees its pages; it gets no response. False: there is none of this id.
  bool Cancel(uint64_t id);

  /// Runs one step: some prompt chunks and one token of each decoding sequence. Finished requests become available
  /// from TakeFinished. Does nothing when there is no work.
  Status Step();

  /// Requests that finished since the last call, in order of finishing.
  std::vector<Response> TakeFinished();

  /// True while a submitted request is not finished.
  bool HasWork() const;
  /// Sequences (samples) that could be added now without waiting for a slot; 0 when the batch is full or requests wait.
  int FreeSequences() const;
  /// Requests queued and not yet begun.
  int WaitingRequests() const;
  /// Sequences that decode or prefill now.
  int ActiveSequences() const;

  const EngineStats& stats() const;
  int vocabulary_size() const;
  int context_tokens() const;  // the model's max_position_embeddings

 private:
  explicit Engine(std::unique_ptr<Scheduler> scheduler);
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace srlm::worker
