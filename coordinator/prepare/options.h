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
  std::vector<std::string> evaluation;       // files whose prompts must not be trained on
  std::string out;                           // folder
  uint64_t seed = 1;
  double eft_share = 0.5;     // of the ranked training prompts, how many become lessons in judging
  int ngram = 13;             // prompts that share so many words in a row overlap
  bool any_language = false;  // else English alone
};

}  // namespace srlm::prepare
