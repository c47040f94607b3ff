// JSON from files that others wrote: how large and how deep it may be is settled before anything walks through it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

inline constexpr size_t kMaxJsonBytes = size_t{64} << 20;
inline constexpr int kMaxJsonDepth = 64;  // what walks through a value (copy, print) calls itself once a level

/// The file's content. NotFound when there is none; InvalidArgument when it is a folder, empty or larger than
/// `limit_bytes`, which is looked at before memory is taken.
Result<std::string> ReadSmallFile(const std::string& path, size_t limit_bytes = kMaxJsonBytes);

/// The JSON object in `text`. InvalidArgument with `origin`, line and column.
Result<nlohmann::json> ParseJsonObject(std::string_view text, const std::string& origin);

/// The same, its keys in the text's order.
Result<nlohmann::ordered_json> ParseOrderedJsonObject(std::string_view text, const std::string& origin);

/// The JSON object in a small file. NotFound, or InvalidArgument with path, line and column.
Result<nlohmann::json> ReadJsonObject(const std::string& path);

}  // namespace srlm
