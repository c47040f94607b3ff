// Fills a configuration from YAML; every problem is kept with its place, so that one run shows them all.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/config/fields.h"
#include "common/config/value.h"

namespace srlm::config {

/// Where values come from, and what was found while reading them.
struct Reading {
  std::string origin;                         // the file's name, or `--set a.b=value`
  bool has_lines = true;                      // whether a line makes sense with it
  std::string folder;                         // base of relative paths
  std::vector<std::string> problems;          // `place: message`
  std::map<std::string, std::string> places;  // key -> place of its value

  std::string Place(const YAML::Mark& mark) const;
};

/// A visitor over the fields of one section.
class Reader {
 public:
  /// `node` is null or a map; `prefix` is empty or "section.".
  Reader(const YAML::Node& node, std::string prefix, Reading& reading);

  template <class S>
  void Section(std::string_view key, S& section, std::string_view) {
    known_.push_back(key);
    const Entry* entry = Take(key);
    if (entry == nullptr) return;
    if constexpr (requires { S::kShortKey; }) {
      if (entry->node.IsScalar()) return ReadShort(*entry, section);
    }
    if (!entry->node.IsMap() && !entry->node.IsNull())
      return Problem(*entry,
                     std::string(key) + " is a section: wanted fields below it, found " + Describe(entry->node));
    Reader inner(entry->node, std::string(key) + ".", reading_);
    VisitFields(inner, section);
    inner.ReportUnknown();
  }

  template <class T>
  void Field(T& value, const FieldInfo& info) {
    known_.push_back(info.key);
    const Entry* entry = Take(info.key);
    if (entry == nullptr) return;
    T read = value;
    if (const Status status = ReadValue(entry->node, read); !status.ok())
      return Problem(*entry, FullKey(info.key) + ": " + status.message());
    if (const Status status = Check(read, info); !status.ok())
      return Problem(*entry, FullKey(info.key) + ": " + status.message());
    value = read;
  }

  /// Call after the visit: names the keys that no field took, each with the nearest one.
  void ReportUnknown();

 private:
  struct Entry {
    std::string key;
    std::string place;
    YAML::Node node;
    bool taken = false;
  };

  /// `section: value`, which sets the section's short key.
  template <class S>
  void ReadShort(const Entry& entry, S& section) {
    Reader inner(YAML::Node(), entry.key + ".", reading_);
    inner.entries_.push_back({.key = S::kShortKey, .place = entry.place, .node = entry.node});
    VisitFields(inner, section);
  }

  const Entry* Take(std::string_view key);
  void Problem(const Entry& entry, const std::string& message);
  std::string FullKey(std::string_view key) const { return prefix_ + std::string(key); }

  /// Limits of a number; paths become absolute.
  template <class T>
  Status Check(T& value, const FieldInfo& info) const {
    if constexpr (std::is_same_v<T, std::string>) {
      return ResolveText(value, info);
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      return info.text == TextKind::kCommand ? ResolveCommand(value) : OkStatus();
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      return CheckLimits(static_cast<double>(value), FormatValue(value), info);
    } else {
      return OkStatus();
    }
  }
  Status ResolveText(std::string& value, const FieldInfo& info) const;
  Status ResolveCommand(std::vector<std::string>& words) const;
  static Status CheckLimits(double value, const std::string& shown, const FieldInfo& info);

  std::string prefix_;
  Reading& reading_;
  std::vector<Entry> entries_;
  std::vector<std::string_view> known_;
};

/// "2 to 1024", "at least 0": a field's limits for people; empty when it has none.
std::string LimitsText(const FieldInfo& info);

/// The name of `names` nearest to `written` by edits, empty when none is near.
std::string Nearest(std::string_view written, const std::vector<std::string_view>& names);

}  // namespace srlm::config
