#include "common/config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/config/paths.h"

namespace srlm::config {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  // Rows of the edit table, with a swap of neighbours as one edit (optimal string alignment).
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.size()];
}

std::string LimitText(double limit) {
  return std::floor(limit) == limit && std::abs(limit) < 1e17 ? fmt::format("{:.0f}", limit) : fmt::format("{}", limit);
}

/// Every key of the configuration as "section.key", to say where a misplaced one belongs.
struct KeyList {
  std::string prefix;
  std::vector<std::string>& keys;
  template <class S>
  void Section(std::string_view key, S& section, std::string_view) {
    KeyList inner{std::string(key) + ".", keys};
    VisitFields(inner, section);
  }
  template <class T>
  void Field(T&, const FieldInfo& info) {
    keys.push_back(prefix + std::string(info.key));
  }
};

/// The full keys elsewhere whose last part is `key`.
std::vector<std::string> Elsewhere(std::string_view key) {
  RunConfig config;
  std::vector<std::string> keys, found;
  KeyList list{"", keys};
  VisitFields(list, config);
  for (const std::string& full : keys)
    if (full == key || (full.ends_with(key) && full[full.size() - key.size() - 1] == '.')) found.push_back(full);
  return found;
}

}  // namespace

std::string Nearest(std::string_view written, const std::vector<std::string_view>& names) {
  std::string_view nearest;
  size_t least = std::max<size_t>(2, written.size() / 3) + 1;
  for (const std::string_view name : names) {
    const size_t distance = EditDistance(written.substr(0, 100), name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return std::string(nearest);
}

std::string LimitsText(const FieldInfo& info) {
  const bool low = std::isfinite(info.min), high = std::isfinite(info.max);
  if (low && high) return fmt::format("{} to {}", LimitText(info.min), LimitText(info.max));
  if (low) return fmt::format("at least {}", LimitText(info.min));
  if (high) return fmt::format("at most {}", LimitText(info.max));
  return "";
}

std::string Reading::Place(const YAML::Mark& mark) const {
  return has_lines && mark.line >= 0 ? fmt::format("{}:{}", origin, mark.line + 1) : origin;
}

Reader::Reader(const YAML::Node& node, std::string prefix, Reading& reading)
    : prefix_(std::move(prefix)), reading_(reading) {
  if (!node.IsMap()) return;
  for (const auto& item : node) {
    Entry entry{.key = "", .place = reading_.Place(item.first.Mark()), .node = item.second};
    if (!item.first.IsScalar()) {
      Problem(entry, "wanted a key, found " + Describe(item.first));
      continue;
    }
    entry.key = item.first.Scalar();
    const bool twice =
        std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == entry.key; });
    if (twice)
      Problem(entry, FullKey(entry.key) + " is set twice; keep one");
    else
      entries_.push_back(std::move(entry));
  }
}

const Reader::Entry* Reader::Take(std::string_view key) {
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.taken = true;
    reading_.places[FullKey(key)] = entry.place;
    return &entry;
  }
  return nullptr;
}

void Reader::Problem(const Entry& entry, const std::string& message) {
  reading_.problems.push_back(entry.place + ": " + message);
}

void Reader::ReportUnknown() {
  const std::string where = prefix_.empty() ? "at the top level" : "in " + prefix_.substr(0, prefix_.size() - 1);
  for (const Entry& entry : entries_) {
    if (entry.taken) continue;
    std::string message = fmt::format("unknown key '{}' {}", entry.key.substr(0, 100), where);
    const std::string nearest = Nearest(entry.key, known_);
    const std::vector<std::string> elsewhere = Elsewhere(entry.key);
    if (!elsewhere.empty())
      message += fmt::format("; did you mean {}?", fmt::join(elsewhere, " or "));
    else if (!nearest.empty())
      message += fmt::format("; did you mean '{}'?", nearest);
    else
      message += fmt::format("; there is {}", fmt::join(known_, ", "));
    Problem(entry, message);
  }
}

Status Reader::ResolveText(std::string& value, const FieldInfo& info) const {
  if (info.text == TextKind::kText) return OkStatus();
  if (info.text != TextKind::kPath && value == "policy") return OkStatus();
  if (info.text == TextKind::kPathOrModel && value == "base") return OkStatus();
  SRLM_ASSIGN_OR_RETURN(value, ResolvePath(value, reading_.folder));
  return OkStatus();
}

Status Reader::ResolveCommand(std::vector<std::string>& words) const {
  for (std::string& word : words) {
    const bool is_path = word.starts_with("./") || word.starts_with("../") || word == "~" || word.starts_with("~/") ||
                         word.find("${") != std::string::npos;
    if (!is_path) continue;
    SRLM_ASSIGN_OR_RETURN(word, ResolvePath(word, reading_.folder));
  }
  return OkStatus();
}

Status Reader::CheckLimits(double value, const std::string& shown, const FieldInfo& info) {
  if (value >= info.min && value <= info.max) return OkStatus();
  return InvalidArgument(fmt::format("{} is out of range, wanted {}", shown, LimitsText(info)));
}

}  // namespace srlm::config
