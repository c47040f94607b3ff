// Whether the texts of the inputs become tokens, before anything starts.
#pragma once

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/rounds/inputs.h"

namespace srlm::rounds {

/// Loads tokenizer and chat template of M0 and of the fixed writer and judge, and tokenises what a run will ask of
/// them: every given prompt, and the judge's question about every ranked answer. InvalidArgument or NotFound with the
/// key, or the file and the row's id. The models that the run makes have M0's tokenizer and template.
Status CheckTexts(const config::RunConfig& config, const Inputs& inputs);

}  // namespace srlm::rounds
