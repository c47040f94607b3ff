// What the configuration knows of a field besides its value. A visitor sees every section and field once, in the
// order of the documentation: Section(key, section, doc) and Field(value, info).
#pragma once

#include <limits>
#include <string_view>

namespace srlm::config {

/// Whether a run may continue with another value.
enum class Continuation {
  kFixed,      // no: its results would be of two methods
  kMayChange,  // yes: speed, memory and waiting, never what is computed
};

/// What a text field holds.
enum class TextKind {
  kText,
  kPath,          // a file or folder, or empty
  kPathOrPolicy,  // a model folder or `policy`
  kPathOrModel,   // a model folder, `policy` or `base`
  kCommand,       // a program and its arguments, of which some may be paths
};

struct FieldInfo {
  std::string_view key;
  std::string_view doc;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  TextKind text = TextKind::kText;
  Continuation continuation = Continuation::kFixed;
};

}  // namespace srlm::config
