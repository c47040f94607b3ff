// Rows of a run's tables for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace srlm::cli {

using Rows = std::vector<nlohmann::ordered_json>;

/// Rows of `table` (prompts, candidates, pairs or events) as aligned columns or wrapped blocks, at most `width`
/// columns wide. Long texts are cut; --json has the whole of them.
std::string DescribeRows(const std::string& table, const Rows& rows, size_t width);

}  // namespace srlm::cli
