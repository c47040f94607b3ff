// Paths as people write them in a configuration.
#pragma once

#include <string>

#include "common/base/status.h"

namespace srlm::config {

/// `written` as an absolute path: a leading `~`, `${NAME}` and `${NAME:-default}` are expanded; a relative path is
/// taken from the current folder when something is there, else from `folder`. Empty stays empty.
/// InvalidArgument when a variable is not set and has no default, and when `${` is left in the path.
Result<std::string> ResolvePath(const std::string& written, const std::string& folder);

}  // namespace srlm::config
