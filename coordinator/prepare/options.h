// What `srlm prepare` is asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data/source.h"

namespace srlm::prepare {

struct Options {
  std::vector<std::string> sources;          // files of ranked answers (data/source.h)
  std::optional<data::SourceFormat> format;  // of all of them; none: as each one's first row shows
  std::string ift;                           // ready-made SFT rows; empty: made from the sources
  std::string eft;                           // ready-made EFT rows; empty: made from the sources
  bool keep_given = false;                   // rows of both as they are, but for those that overlap
  std::vector<std::string> evaluation;       // files whose prompts must not be trained on
  std::string out;                           // folder
  uint64_t seed = 1;
  double eft_share = 0.5;     // of the ranked training prompts, how many become lessons in judging
  bool any_language = false;  // else English alone
  int max_eft_prompts = 0;    // of the lessons; 0: all

  // EFT from the sources needs a model; without one the ranked answers wait for it.
  std::string model;           // folder
  std::string judge_template;  // file; empty: the built-in one
  std::string origin;          // whose scores: sampled (the model's), human; empty: as the probe says
  int probe = 64;              // answers that are judged to see whether the model can
  int tries = 1;               // judgements of an answer, of which the first that agrees is taken
  bool balance = true;
  std::string chat_template;  // as WorkerSettings, the next too
  int threads = 0;
  int max_batch = 32;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 160;
};

}  // namespace srlm::prepare
