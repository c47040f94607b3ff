// `srlm answer`: a model's answers to the questions of an outside benchmark.
#pragma once

#include <string>

#include "coordinator/measure/answers.h"

namespace srlm::cli {

struct AnswerOptions {
  std::string model;      // folder or RUN:M2
  std::string benchmark;  // alpaca-eval, mt-bench
  std::string questions;
  std::string out;
  std::string name;           // of the model in the output; empty: as it was given
  int limit = 0;              // questions; 0: all
  int threads = 0;            // 0: all cores
  std::string chat_template;  // file, for a model without one; empty: none is needed
  measure::Sampling sampling;
};

/// Lets a model answer the questions, and writes the answers as the benchmark's own tools read them.
int AnswerBenchmark(const AnswerOptions& options);

}  // namespace srlm::cli
