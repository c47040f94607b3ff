// Everything of a job that can be checked before its model is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/model/model_config.h"
#include "trainer/batches/sample.h"
#include "trainer/job/options.h"

namespace srlm::trainer {

struct JobInputs {
  model::ModelConfig config;
  std::vector<Sample> samples;  // those of --data, then those of --sft-data
  int64_t mixed = 0;            // how many of them are of --sft-data
  int64_t too_long = 0;
  std::string first_too_long;
  std::string data_sha256;  // of all token ids and given reference values, in order
};

/// Checks paths to write, reads the data files (`file:line` in messages), the tokenizer and the model's configuration,
/// checks the headers of its weights, and makes samples. NotFound, InvalidArgument, FailedPrecondition.
Result<JobInputs> ReadInputs(const TrainerOptions& options);

}  // namespace srlm::trainer
