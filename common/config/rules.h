// Rules between fields, and those that one field's limits cannot say.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"

namespace srlm::config {

struct BrokenRule {
  std::string key;      // the field to change
  std::string message;  // what is wrong and what to do
};

std::vector<BrokenRule> CheckRules(const RunConfig& config);

}  // namespace srlm::config
