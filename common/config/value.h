// A field's value to and from YAML.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/status.h"
#include "common/config/enums.h"

namespace srlm::config {

/// Reads a node as the type of `value`. InvalidArgument says what was wanted and what was found.
Status ReadValue(const YAML::Node& node, bool& value);
Status ReadValue(const YAML::Node& node, int& value);
Status ReadValue(const YAML::Node& node, uint64_t& value);
Status ReadValue(const YAML::Node& node, double& value);
Status ReadValue(const YAML::Node& node, std::string& value);
Status ReadValue(const YAML::Node& node, std::vector<std::string>& value);

/// What a node is, for messages: "text 'four'", "a list", "nothing".
std::string Describe(const YAML::Node& node);

/// The value as YAML writes it on one line; ReadValue gives it back equal.
std::string FormatValue(bool value);
std::string FormatValue(int value);
std::string FormatValue(uint64_t value);
std::string FormatValue(double value);
std::string FormatValue(const std::string& value);
std::string FormatValue(const std::vector<std::string>& value);

/// Name of the type, for messages and the documentation.
std::string TypeName(bool);
std::string TypeName(int);
std::string TypeName(uint64_t);
std::string TypeName(double);
std::string TypeName(const std::string&);
std::string TypeName(const std::vector<std::string>&);

template <class E>
  requires std::is_enum_v<E>
std::string TypeName(E) {
  std::string names;
  for (const auto& [value, name] : NamesOf(E{})) names += (names.empty() ? "" : " or ") + std::string(name);
  return names;
}

template <class E>
  requires std::is_enum_v<E>
std::string FormatValue(E value) {
  return std::string(NameOf(value));
}

template <class E>
  requires std::is_enum_v<E>
Status ReadValue(const YAML::Node& node, E& value) {
  if (node.IsScalar()) {
    for (const auto& [each, name] : NamesOf(E{})) {
      if (node.Scalar() != name) continue;
      value = each;
      return OkStatus();
    }
  }
  return InvalidArgument("wanted " + TypeName(E{}) + ", found " + Describe(node));
}

}  // namespace srlm::config
