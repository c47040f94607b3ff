// The table of rounds that a run ends with.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "srlm/v1/run.pb.h"

namespace srlm::cli {

/// One line a round: prompts, candidates, votes, pairs, training; then one line a model: how well it judges, with n
/// and 95 % intervals. What does not exist (yet) is shown as "-". Empty without rounds.
std::string DescribeRounds(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds, size_t width);

/// The rounds' health: a line a figure that the other tables do not have, and a column a round. Empty without any.
std::string DescribeHealth(const google::protobuf::RepeatedPtrField<v1::RoundSummary>& rounds, size_t width);

}  // namespace srlm::cli
