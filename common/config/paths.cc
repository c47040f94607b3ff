#include "common/config/paths.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace srlm::config {
namespace {

std::string Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

/// `${NAME}` and `${NAME:-default}`; as in a shell, an empty variable takes the default.
Status ExpandVariables(const std::string& text, std::string& expanded) {
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find("${", at), text.size());
    expanded += text.substr(at, open - at);
    if (open == text.size()) break;
    const size_t close = text.find('}', open);
    if (close == std::string::npos) return InvalidArgument("'${' without '}' in '" + text + "'");
    const std::string inside = text.substr(open + 2, close - open - 2);
    const size_t bar = inside.find(":-");
    const std::string value = Environment(inside.substr(0, bar));
    if (value.empty() && bar == std::string::npos)
      return InvalidArgument("the environment variable " + inside + " is not set; set it, or write ${" + inside +
                             ":-default}");
    expanded += value.empty() ? inside.substr(bar + 2) : value;
    at = close + 1;
  }
  return OkStatus();
}

Status ExpandHome(std::string& text) {
  if (text != "~" && text.rfind("~/", 0) != 0) return OkStatus();
  const std::string home = Environment("HOME");
  if (home.empty()) return InvalidArgument("'~' is used, but the environment variable HOME is not set");
  text.replace(0, 1, home);
  return OkStatus();
}

}  // namespace

Result<std::string> ResolvePath(const std::string& written, const std::string& folder) {
  if (written.empty()) return std::string();
  std::string expanded;
  SRLM_RETURN_IF_ERROR(ExpandVariables(written, expanded));
  SRLM_RETURN_IF_ERROR(ExpandHome(expanded));
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path path(expanded);
  if (path.is_relative() && !fs::exists(path, error)) path = fs::path(folder) / path;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  if (error) return InvalidArgument("'" + written + "' is not a usable path: " + error.message());
  std::string result = absolute.string();
  if (result.size() > 1 && result.back() == '/') result.pop_back();
  // It would be taken for a variable when the run's stored configuration is read again.
  if (result.find("${") != std::string::npos)
    return InvalidArgument("'" + written + "' is the path '" + result +
                           "', which has '${' in it: name a folder or file without");
  return result;
}

}  // namespace srlm::config
