// The phases of a round in tokens and floating-point operations.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/model/model_config.h"
#include "coordinator/plan/lengths.h"

namespace srlm::plan {

/// Requests of one kind to workers.
struct Serving {
  std::string what;
  double requests = 0;        // each is read once, however many samples follow
  double read_tokens = 0;     // of a request
  double cached_tokens = 0;   // of these, what another request has brought into the cache
  double samples = 0;         // of a request; 0: only probabilities after it are read
  double written_tokens = 0;  // of a sample
  double sequences() const { return requests * samples; }
  double prefilled() const { return requests * (read_tokens - cached_tokens); }
  double decoded() const { return sequences() * written_tokens; }
  /// Tokens of a sequence at its end.
  double longest() const { return read_tokens + (samples > 0 ? written_tokens : 0); }
};

/// Rows or pairs of one training job.
struct Training {
  double rows = 0;
  double tokens = 0;         // of a row or pair, a prompt once
  double target_tokens = 0;  // of these, those whose logits are wanted
  double context = 0;        // tokens that one sees, on average
  double epochs = 1;
  double reference_rows = 0;  // that go through the reference once, forward
  bool recompute = false;
  int micro_batch_tokens = 0;
  int global_batch = 0;
  double steps = 0;
};

/// One phase as `srlm status` names it.
struct Phase {
  std::string name;
  std::vector<Serving> serving;
  std::vector<Training> training;  // one job
};

/// M1's training, and a round's phases. What depends on others' programs or on what a round makes (meta-judge, saved
/// checkpoints that are compared) is not counted.
std::vector<Phase> PhasesOfRound(const config::RunConfig& config, const Lengths& lengths);
Phase PhaseOfSft(const config::RunConfig& config, const Lengths& lengths);

/// Floating-point operations; ReadFlops: of reading alone.
double ReadFlops(const Serving& serving, const model::ModelConfig& model);
double FlopsOf(const Serving& serving, const model::ModelConfig& model);
double FlopsOf(const Training& training, const model::ModelConfig& model);
double FlopsOf(const Phase& phase, const model::ModelConfig& model);
/// Tokens that go through a model, each pass once.
double TokensOf(const Phase& phase);

}  // namespace srlm::plan
