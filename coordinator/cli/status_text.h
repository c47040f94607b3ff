// What a run is doing, for people.
#pragma once

#include <string>

#include "srlm/v1/run.pb.h"

namespace srlm::cli {

/// The run's state, running phase, workers, last errors and table of rounds, in lines of at most `width` columns
/// where text can be cut.
std::string DescribeStatus(const v1::RunStatus& status, size_t width);

}  // namespace srlm::cli
