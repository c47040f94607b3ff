#include "common/text/json_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"

namespace srlm::text {

Result<std::string> ReadSmallFile(const std::string& path, size_t limit_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return InvalidArgument(path + ": is a folder, a file is needed");
  if (std::filesystem::is_regular_file(status)) {
    const uintmax_t size = std::filesystem::file_size(path, error);
    if (!error && size > limit_bytes) {
      return InvalidArgument(fmt::format("{}: has {} bytes, at most {} are read", path, size, limit_bytes));
    }
  }
  SRLM_ASSIGN_OR_RETURN(std::string content, ReadFile(path));
  if (content.empty()) return InvalidArgument(path + ": is empty");
  return content;
}

Result<nlohmann::json> ReadJsonObject(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadSmallFile(path, size_t{64} << 20));
  try {
    nlohmann::json value = nlohmann::json::parse(content);
    if (!value.is_object()) return InvalidArgument(path + ": is not a JSON object");
    return value;
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, ...": the first part is the library's own number.
    if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
    return InvalidArgument(fmt::format("{}: bad JSON: {}", path, reason));
  }
}

}  // namespace srlm::text
