// What the file commands of srlm-worker are asked.
#pragma once

#include <cstdint>
#include <string>

#include "common/config/device.h"

namespace srlm::worker {

/// What all file commands share.
struct FileOptions {
  std::string model;
  std::string in;
  std::string out;
  std::string summary;        // empty: none
  std::string chat_template;  // empty: the model's
  bool parse_special_tokens = false;
  int ends_with = 0;  // process that started this one, or its mpirun, which it ends with; 0: none
  int threads = 0;    // 0: cores / ranks on this host
  config::DeviceChoice device;
  bool own_kernels = false;  // on a device
  int max_batch = 64;
  int kv_cache_mib = 0;  // 0: see EngineOptions
  int prefill_chunk_tokens = 256;
  double rank_timeout_s = 600;  // of each wait for the other ranks that hold the model
};

/// How responses are sampled.
struct SamplingOptions {
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 128;
  uint64_t seed = 1;
};

struct GenerateOptions {
  FileOptions files;
  SamplingOptions sampling;
  int samples = 4;
  bool greedy = false;
  bool ignore_eos = false;
};

enum class JudgeVerdict { kSampled, kDigit, kExpected };

struct JudgeOptions {
  FileOptions files;
  SamplingOptions sampling;
  int votes = 3;
  JudgeVerdict verdict = JudgeVerdict::kSampled;
  bool pairwise = false;       // two answers against one another, in both orders
  std::string judge_template;  // empty: the built-in one
};

/// What devices there are, as JSON Lines on standard output.
struct DevicesOptions {};

struct LogprobsOptions {
  FileOptions files;
};

}  // namespace srlm::worker
