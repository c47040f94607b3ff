#include "common/base/json_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/file.h"

namespace srlm {
namespace {

template <typename Json>
Result<Json> Parse(std::string_view text, const std::string& origin) {
  bool deep = false;
  const typename Json::parser_callback_t watch = [&](int depth, typename Json::parse_event_t, Json&) {
    deep |= depth > kMaxJsonDepth;
    return !deep;  // what is deeper is left out as it is read
  };
  try {
    Json value = Json::parse(text, watch);
    if (deep) return InvalidArgument(fmt::format("{}: is nested more than {} levels deep", origin, kMaxJsonDepth));
    if (!value.is_object()) return InvalidArgument(origin + ": is not a JSON object");
    return value;
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, ...": the first part is the library's own number.
    if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
    return InvalidArgument(fmt::format("{}: bad JSON: {}", origin, reason));
  }
}

}  // namespace

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

Result<nlohmann::json> ParseJsonObject(std::string_view text, const std::string& origin) {
  return Parse<nlohmann::json>(text, origin);
}

Result<nlohmann::ordered_json> ParseOrderedJsonObject(std::string_view text, const std::string& origin) {
  return Parse<nlohmann::ordered_json>(text, origin);
}

Result<nlohmann::json> ReadJsonObject(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadSmallFile(path));
  return ParseJsonObject(content, path);
}

}  // namespace srlm
