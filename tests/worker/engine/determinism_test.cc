// What a request gives is bit-identical whatever else the engine does: schedules are drawn at random (order and time of
// arrival, batch, chunk, cache and page sizes, threads, prefix sharing, instruction set, requests that are cancelled
// and come again, engines that are made anew) and every result's digest is compared with that of the request alone.
//
// Environment: SRLM_SCHEDULES (how many, 20), SRLM_SCHEDULE_SEED (of the first; each next one has the next seed, so
// that one schedule is played again by its own seed and a count of 1), SRLM_SCHEDULE_MODEL (a model folder; a tiny
// one).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>

#include "common/base/hash.h"
#include "common/model/model_config.h"
#include "worker/engine/engine.h"
#include "worker/engine/kernels/kernels.h"
#include "worker/engine/kv_cache.h"

namespace srlm::worker {
namespace {

std::string Setting(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

/// Draws of one schedule, one after the other.
class Dice {
 public:
  explicit Dice(uint64_t seed) : stream_(seed, {1}) {}
  /// In [low, high].
  int Roll(int low, int high) {
    return low + static_cast<int>(stream_.Below(next_++, static_cast<uint64_t>(high - low + 1)));
  }
  bool Chance(int percent) { return Roll(1, 100) <= percent; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(Roll(0, static_cast<int>(from.size()) - 1))];
  }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

using Digests = std::map<std::string, std::string>;  // by what was asked

std::vector<int> Tokens(uint64_t seed, int count, int vocabulary) {
  const RandomStream stream(seed, {2});
  std::vector<int> tokens(static_cast<size_t>(count));
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int>(stream.Below(i, static_cast<uint64_t>(vocabulary)));
  }
  return tokens;
}

std::vector<int> Joined(std::vector<int> first, const std::vector<int>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Answers to prompts, votes and expected verdicts on them behind a common template, and scored responses.
std::vector<Request> MakeRequests(int vocabulary) {
  std::vector<Request> requests;
  const auto judge_template = Tokens(500, 90, vocabulary);
  const auto sample = [&](uint64_t id, int samples, int tokens) {
    SampleWork work;
    for (int i = 0; i < samples; ++i) work.streams.push_back(RandomStream(7, {id, static_cast<uint64_t>(i)}));
    work.max_new_tokens = tokens;
    work.temperature = id % 5 == 0 ? 0.0 : 0.8;
    work.top_p = id % 4 == 0 ? 1.0 : 0.9;
    work.stop_token_ids = {2, 17};
    return work;
  };
  for (uint64_t id = 0; id < 18; ++id) {
    const auto prompt = Tokens(id, 2 + static_cast<int>(id * 7 % 60), vocabulary);
    const auto answer = Tokens(id + 100, 1 + static_cast<int>(id * 11 % 40), vocabulary);
    const auto judged = Joined(Joined(judge_template, prompt), answer);
    if (id % 6 == 3) {
      requests.push_back({id, judged, ChooseWork{{5, 6, 7, 8}}});
    } else if (id % 6 == 4) {
      requests.push_back({id, prompt, ScoreWork{answer}});
    } else if (id % 6 == 5) {
      requests.push_back({id, judged, sample(id, 3, 20)});
    } else {
      requests.push_back({id, prompt, sample(id, 1 + static_cast<int>(id % 4), 24)});
    }
  }
  return requests;
}

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Adds a response's digests, one a sample; `first_sample` is the number of its first one.
void AddDigests(const Response& response, uint64_t request, int first_sample, Digests& digests) {
  ASSERT_TRUE(response.status.ok()) << response.status.message();
  const std::string name = "request " + std::to_string(request);
  if (response.samples.empty()) {
    digests[name] = Sha256(Bytes(response.choice_logprobs) + Bytes(response.token_logprobs));
  }
  for (size_t i = 0; i < response.samples.size(); ++i) {
    const Sample& sample = response.samples[i];
    digests[name + " sample " + std::to_string(first_sample + static_cast<int>(i))] =
        Sha256(Bytes(sample.token_ids) + Bytes(sample.token_logprobs) + Bytes(std::vector{sample.logprob}) +
               (sample.finish_reason == FinishReason::kStop ? "s" : "l"));
  }
}

/// A request of the schedule: a whole one, or one sample of it.
struct Part {
  Request request;  // with an id of its own
  uint64_t of = 0;
  int first_sample = 0;
};

class Schedule {
 public:
  Schedule(const std::string& folder, const std::vector<Request>& requests, uint64_t seed)
      : folder_(folder), dice_(seed) {
    Split(requests);
    DrawOptions();
  }

  Digests Play() {
    Start();
    for (int step = 0; !waiting_.empty() || !parts_.empty(); ++step) {
      if (step > 100000) {
        ADD_FAILURE() << "the engine does not come to an end";
        break;
      }
      if (!waiting_.empty() && (!engine_->HasWork() || dice_.Chance(30))) Arrive();
      if (cancels_ > 0 && dice_.Chance(2)) Cancel();
      if (restarts_ > 0 && dice_.Chance(1)) Restart();
      EXPECT_TRUE(engine_->Step().ok());
      Take();
    }
    return digests_;
  }

  int64_t preempted() const { return preempted_ + engine_->stats().preempted; }
  int64_t came_again() const { return came_again_; }

  std::string Text() const {
    return "kernels " + kernels_ + ", " + std::to_string(options_.compute.threads) + " threads, batch " +
           std::to_string(options_.max_batch) + ", chunk " + std::to_string(options_.prefill_chunk_tokens) +
           ", pages of " + std::to_string(options_.page_tokens) + ", cache of " +
           std::to_string(options_.kv_cache_bytes >> 10) + " KiB" + (options_.share_prefixes ? "" : ", nothing shared");
  }

 private:
  void Split(const std::vector<Request>& requests) {
    uint64_t id = 0;
    std::vector<Part> parts;
    for (const Request& request : requests) {
      const auto* work = std::get_if<SampleWork>(&request.work);
      const size_t pieces = work != nullptr && dice_.Chance(30) ? work->streams.size() : 1;
      longest_ = std::max(longest_, static_cast<int>(request.prompt_token_ids.size()) + 64);
      for (size_t piece = 0; piece < pieces; ++piece) {
        Part part{request, request.id, static_cast<int>(piece)};
        part.request.id = ++id;
        if (pieces > 1) std::get<SampleWork>(part.request.work).streams = {work->streams[piece]};
        parts.push_back(std::move(part));
      }
    }
    for (size_t i = parts.size(); i-- > 1;)
      std::swap(parts[i], parts[static_cast<size_t>(dice_.Roll(0, static_cast<int>(i)))]);
    waiting_.assign(parts.begin(), parts.end());
  }

  void DrawOptions() {
    options_.compute.threads = dice_.Roll(1, 2);
    options_.max_batch = dice_.Pick(std::vector{1, 2, 3, 8, 64});
    options_.prefill_chunk_tokens = dice_.Pick(std::vector{1, 5, 16, 61, 256, 2048});
    options_.page_tokens = dice_.Pick(std::vector{16, 16, 32, 64});
    options_.share_prefixes = dice_.Chance(85);
    const int least = (longest_ + options_.page_tokens - 1) / options_.page_tokens;  // holds the longest alone
    const auto config = model::ReadModelConfig(folder_);
    options_.kv_cache_bytes =
        KvCache::PageBytes(*config, options_.page_tokens) * (least + dice_.Pick(std::vector{0, 1, 4, 20, 2000}));
    restarts_ = dice_.Chance(30) ? 1 : 0;
    kernels_ = SelectKernels().name;
    // AVX2 and AVX-512 add in the same order and give the same bits; the portable kernels do not fuse.
    if (kernels_ == "avx512" && dice_.Chance(40)) kernels_ = "avx2";
  }

  void Start() {
    setenv("SRLM_KERNELS", kernels_.c_str(), 1);
    auto engine = Engine::Create(folder_, options_);
    unsetenv("SRLM_KERNELS");
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    engine_ = std::move(engine).value();
  }

  void Arrive() {
    for (int count = dice_.Roll(1, 8); count > 0 && !waiting_.empty(); --count) {
      engine_->Submit(waiting_.front().request);
      parts_.emplace(waiting_.front().request.id, std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }

  /// One that was begun or waits is cancelled and comes again later.
  void Cancel() {
    if (parts_.empty()) return;
    --cancels_;
    const auto at = std::next(parts_.begin(), dice_.Roll(0, static_cast<int>(parts_.size()) - 1));
    ASSERT_TRUE(engine_->Cancel(at->first));
    ++came_again_;
    waiting_.push_back(std::move(at->second));
    parts_.erase(at);
  }

  /// All that is not finished is lost and comes again, to a new engine.
  void Restart() {
    --restarts_;
    came_again_ += static_cast<int64_t>(parts_.size());
    preempted_ += engine_->stats().preempted;
    for (auto& [id, part] : parts_) waiting_.push_back(std::move(part));
    parts_.clear();
    Start();
  }

  void Take() {
    for (const Response& response : engine_->TakeFinished()) {
      const auto part = parts_.find(response.id);
      ASSERT_NE(part, parts_.end());
      AddDigests(response, part->second.of, part->second.first_sample, digests_);
      parts_.erase(part);
    }
  }

  const std::string folder_;
  Dice dice_;
  std::deque<Part> waiting_;
  std::map<uint64_t, Part> parts_;  // submitted
  EngineOptions options_;
  std::string kernels_;
  int longest_ = 0;
  int restarts_ = 0;
  int cancels_ = 40;  // a long request by steps of one token would hardly ever come through without an end of them
  int64_t came_again_ = 0;  // requests, after a cancellation or a restart
  int64_t preempted_ = 0;   // sequences, in engines before this one
  std::unique_ptr<Engine> engine_;
  Digests digests_;
};

/// Each request alone: nothing cached, the prompt in one chunk, one thread.
Digests Alone(const std::string& folder, const std::vector<Request>& requests) {
  EngineOptions options;
  options.share_prefixes = false;
  options.prefill_chunk_tokens = 4096;
  auto engine = Engine::Create(folder, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  Digests digests;
  for (const Request& request : requests) {
    (*engine)->Submit(request);
    while ((*engine)->HasWork()) EXPECT_TRUE((*engine)->Step().ok());
    for (const Response& response : (*engine)->TakeFinished()) AddDigests(response, request.id, 0, digests);
  }
  return digests;
}

TEST(Determinism, EveryScheduleGivesTheBitsOfEachRequestAlone) {
  const std::string tiny = Setting("SRLM_SOURCE", ".") + "/tests/reference/models/llama3";
  const std::string folder = Setting("SRLM_SCHEDULE_MODEL", tiny);
  const int schedules = std::atoi(Setting("SRLM_SCHEDULES", "20").c_str());
  const uint64_t first = std::strtoull(Setting("SRLM_SCHEDULE_SEED", "1").c_str(), nullptr, 10);
  ASSERT_GT(schedules, 0);
  const auto config = model::ReadModelConfig(folder);
  ASSERT_TRUE(config.ok()) << config.status().message();
  const auto requests = MakeRequests(static_cast<int>(config->vocabulary_size));
  const Digests alone = Alone(folder, requests);
  std::printf("%d schedules from seed %llu, %zu results each\n", schedules, static_cast<unsigned long long>(first),
              alone.size());
  int64_t preempted = 0, came_again = 0;
  for (int i = 0; i < schedules; ++i) {
    const uint64_t seed = first + static_cast<uint64_t>(i);
    Schedule schedule(folder, requests, seed);
    const Digests digests = schedule.Play();
    ASSERT_EQ(digests, alone) << "schedule of seed " << seed << " (" << schedule.Text()
                              << "); again with SRLM_SCHEDULE_SEED=" << seed << " SRLM_SCHEDULES=1";
    preempted += schedule.preempted();
    came_again += schedule.came_again();
  }
  std::printf("%lld sequences were preempted, %lld requests came again\n", static_cast<long long>(preempted),
              static_cast<long long>(came_again));
  if (schedules >= 20) {
    EXPECT_GT(preempted, 0);
    EXPECT_GT(came_again, 0);
  }
}

}  // namespace
}  // namespace srlm::worker
