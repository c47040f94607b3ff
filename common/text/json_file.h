// JSON files of a model folder, read with errors that name the file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/status.h"

namespace srlm::text {

/// The file's content. NotFound when there is none; InvalidArgument when it is empty or larger than `limit_bytes`,
/// which is looked at before memory is taken.
Result<std::string> ReadSmallFile(const std::string& path, size_t limit_bytes);

/// The JSON object in a file of at most 64 MiB. NotFound, or InvalidArgument with path, line and column.
Result<nlohmann::json> ReadJsonObject(const std::string& path);

}  // namespace srlm::text
