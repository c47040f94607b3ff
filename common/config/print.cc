// The configuration written out: YAML, differences, and the tables of the documentation.
#include <fmt/format.h>

#include "common/config/fields.h"
#include "common/config/reader.h"
#include "common/config/value.h"

namespace srlm::config {
namespace {

struct YamlPrinter {
  std::string indent;
  std::string& out;

  template <class S>
  void Section(std::string_view key, S& section, std::string_view) {
    out += fmt::format("{}:\n", key);
    YamlPrinter inner{indent + "  ", out};
    VisitFields(inner, section);
  }
  template <class T>
  void Field(T& value, const FieldInfo& info) {
    out += fmt::format("{}{}: {}\n", indent, info.key, FormatValue(value));
  }
};

struct FlatField {
  std::string key;
  std::string value;
  Continuation continuation;
};

struct Flattener {
  std::string prefix;
  std::vector<FlatField>& fields;

  template <class S>
  void Section(std::string_view key, S& section, std::string_view) {
    Flattener inner{std::string(key) + ".", fields};
    VisitFields(inner, section);
  }
  template <class T>
  void Field(T& value, const FieldInfo& info) {
    fields.push_back({prefix + std::string(info.key), FormatValue(value), info.continuation});
  }
};

std::vector<FlatField> Flatten(RunConfig config) {
  std::vector<FlatField> fields;
  Flattener flattener{"", fields};
  VisitFields(flattener, config);
  return fields;
}

std::string DocType(const std::string& type, TextKind kind) {
  switch (kind) {
    case TextKind::kText: return type;
    case TextKind::kPath: return "path";
    case TextKind::kPathOrPolicy: return "policy or path";
    case TextKind::kPathOrModel: return "policy, base or path";
    case TextKind::kCommand: return "a list of texts";
  }
  return type;
}

struct TablePrinter {
  std::string prefix;
  std::string& top;       // rows without a section
  std::string& sections;  // one heading and table each

  static constexpr char kHeading[] =
      "| key | type | default | limits | may change | meaning |\n|---|---|---|---|---|---|\n";

  template <class S>
  void Section(std::string_view key, S& section, std::string_view doc) {
    std::string rows, none;
    TablePrinter inner{std::string(key) + ".", rows, none};
    VisitFields(inner, section);
    sections += fmt::format("\n### {}\n{}\n\n{}{}", key, doc, kHeading, rows);
  }
  template <class T>
  void Field(T& value, const FieldInfo& info) {
    top += fmt::format("| {} | {} | {} | {} | {} | {} |\n", info.key, DocType(TypeName(value), info.text),
                       FormatValue(value), LimitsText(info),
                       info.continuation == Continuation::kMayChange ? "yes" : "no", info.doc);
  }
};

}  // namespace

std::string ToYaml(const RunConfig& config) {
  RunConfig copy = config;
  std::string out;
  YamlPrinter printer{"", out};
  VisitFields(printer, copy);
  return out;
}

std::vector<Difference> Differences(const RunConfig& before, const RunConfig& after) {
  const std::vector<FlatField> old_fields = Flatten(before), new_fields = Flatten(after);
  std::vector<Difference> differences;
  for (size_t i = 0; i < old_fields.size(); ++i) {
    const FlatField& old_field = old_fields[i];
    if (old_field.value == new_fields[i].value) continue;
    differences.push_back(
        {old_field.key, old_field.value, new_fields[i].value, old_field.continuation == Continuation::kFixed});
  }
  return differences;
}

std::string MarkdownTables() {
  RunConfig defaults;
  std::string top, sections;
  TablePrinter printer{"", top, sections};
  VisitFields(printer, defaults);
  return "### Top level\n\n" + std::string(TablePrinter::kHeading) + top + sections;
}

}  // namespace srlm::config
