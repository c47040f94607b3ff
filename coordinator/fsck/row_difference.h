// In which column two rows differ.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "coordinator/ledger/tables.h"

namespace srlm::fsck {

inline std::string ValueText(const std::string& text) { return "\"" + text + "\""; }
inline std::string ValueText(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "none";
}
inline std::string ValueText(const std::vector<int>& token_ids) {
  return fmt::format("{} token ids", token_ids.size());
}
template <class T>
std::string ValueText(const T& number) {
  return fmt::format("{}", number);
}

/// "chosen_sample is 2 instead of 1": the first column in which `row` differs from `expected`; empty when they are the
/// same. For rows of numbers, texts and token ids.
template <class Row>
std::string Difference(const Row& row, const Row& expected) {
  std::string columns = ledger::Table<Row>::kColumns;
  std::string difference;
  const auto compare = [&](const auto& value, const auto& wanted) {
    const std::string name = columns.substr(0, columns.find(','));
    columns.erase(0, std::min(columns.size(), name.size() + 2));  // ", "
    if (difference.empty() && value != wanted)
      difference = fmt::format("{} is {} instead of {}", name, ValueText(value), ValueText(wanted));
  };
  const auto members = ledger::Table<Row>::Members(row), of_expected = ledger::Table<Row>::Members(expected);
  [&]<size_t... i>(std::index_sequence<i...>) {
    (compare(std::get<i>(members), std::get<i>(of_expected)), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(ledger::Table<Row>::Members(row))>>());
  return difference;
}

}  // namespace srlm::fsck
