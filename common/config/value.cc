#include "common/config/value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace srlm::config {
namespace {

/// Whether a scalar was written in quotes: then it is text, whatever it looks like.
bool IsQuoted(const YAML::Node& node) { return node.Tag() == "!"; }

template <class T>
std::optional<T> ToNumber(const std::string& text) {
  const size_t skip = text.size() > 1 && text[0] == '+' ? 1 : 0;
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + skip, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

template <class T>
Status ReadWhole(const YAML::Node& node, T& value) {
  const auto number = node.IsScalar() && !IsQuoted(node) ? ToNumber<T>(node.Scalar()) : std::optional<T>(std::nullopt);
  if (!number) return InvalidArgument(fmt::format("wanted {}, found {}", TypeName(T{}), Describe(node)));
  value = *number;
  return OkStatus();
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string Describe(const YAML::Node& node) {
  if (node.IsMap()) return "a section";
  if (node.IsSequence()) return "a list";
  if (!node.IsScalar()) return "nothing";
  const std::string& text = node.Scalar();
  const std::string shown = text.size() > 40 ? text.substr(0, 40) + "..." : text;
  if (IsQuoted(node)) return fmt::format("text '{}'", shown);
  if (text == "true" || text == "false") return shown;
  if (ToNumber<double>(text)) return fmt::format("the number {}", shown);
  return fmt::format("text '{}'", shown);
}

Status ReadValue(const YAML::Node& node, bool& value) {
  if (node.IsScalar() && !IsQuoted(node) && (node.Scalar() == "true" || node.Scalar() == "false")) {
    value = node.Scalar() == "true";
    return OkStatus();
  }
  return InvalidArgument(fmt::format("wanted {}, found {}", TypeName(true), Describe(node)));
}

Status ReadValue(const YAML::Node& node, int& value) { return ReadWhole(node, value); }
Status ReadValue(const YAML::Node& node, uint64_t& value) { return ReadWhole(node, value); }

Status ReadValue(const YAML::Node& node, double& value) {
  double number = 0;
  SRLM_RETURN_IF_ERROR(ReadWhole(node, number));
  if (!std::isfinite(number)) return InvalidArgument("wanted a finite number, found " + node.Scalar());
  value = number;
  return OkStatus();
}

Status ReadValue(const YAML::Node& node, std::string& value) {
  if (node.IsNull()) {
    value.clear();
    return OkStatus();
  }
  if (!node.IsScalar()) return InvalidArgument("wanted text, found " + Describe(node));
  if (node.Scalar().find('\0') != std::string::npos) return InvalidArgument("wanted text, found a zero byte in it");
  value = node.Scalar();
  return OkStatus();
}

Status ReadValue(const YAML::Node& node, std::vector<std::string>& value) {
  if (!node.IsSequence()) return InvalidArgument("wanted a list of texts, found " + Describe(node));
  std::vector<std::string> texts;
  for (const auto& each : node) {
    if (!each.IsScalar())
      return InvalidArgument("wanted a list of texts, found " + Describe(each) +
                             " in it; a text with ': ' in it stands in quotes");
    texts.push_back(each.Scalar());
  }
  value = std::move(texts);
  return OkStatus();
}

std::string FormatValue(bool value) { return value ? "true" : "false"; }
std::string FormatValue(int value) { return fmt::format("{}", value); }
std::string FormatValue(uint64_t value) { return fmt::format("{}", value); }
std::string FormatValue(double value) { return fmt::format("{}", value); }
std::string FormatValue(const std::string& value) { return Quoted(value); }
std::string FormatValue(const std::vector<std::string>& value) {
  std::string list;
  for (const std::string& each : value) list += (list.empty() ? "" : ", ") + Quoted(each);
  return "[" + list + "]";
}

std::string TypeName(bool) { return "true or false"; }
std::string TypeName(int) { return "a whole number"; }
std::string TypeName(uint64_t) { return "a whole number"; }
std::string TypeName(double) { return "a number"; }
std::string TypeName(const std::string&) { return "text"; }
std::string TypeName(const std::vector<std::string>&) { return "a list of texts"; }

}  // namespace srlm::config
