// How values become columns: one BindColumn and one ReadColumn for each type that rows are made of.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data/prompt_input.h"

namespace srlm::ledger {

template <std::integral T>
void BindColumn(sqlite3_stmt* statement, int parameter, T value) {
  sqlite3_bind_int64(statement, parameter, static_cast<sqlite3_int64>(value));
}
void BindColumn(sqlite3_stmt* statement, int parameter, double value);
void BindColumn(sqlite3_stmt* statement, int parameter, const std::string& value);
void BindColumn(sqlite3_stmt* statement, int parameter, const std::optional<double>& value);     // none: NULL
void BindColumn(sqlite3_stmt* statement, int parameter, const std::vector<int>& token_ids);      // int32, little-endian
void BindColumn(sqlite3_stmt* statement, int parameter, const std::vector<std::string>& texts);  // a JSON array
/// {"messages": [...]} or {"raw": "..."}, as JSON.
void BindColumn(sqlite3_stmt* statement, int parameter, const data::PromptInput& input);

template <std::integral T>
void ReadColumn(sqlite3_stmt* statement, int column, T& value) {
  value = static_cast<T>(sqlite3_column_int64(statement, column));
}
void ReadColumn(sqlite3_stmt* statement, int column, double& value);
void ReadColumn(sqlite3_stmt* statement, int column, std::string& value);
void ReadColumn(sqlite3_stmt* statement, int column, std::optional<double>& value);
void ReadColumn(sqlite3_stmt* statement, int column, std::vector<int>& token_ids);
void ReadColumn(sqlite3_stmt* statement, int column, std::vector<std::string>& texts);
void ReadColumn(sqlite3_stmt* statement, int column, data::PromptInput& input);

}  // namespace srlm::ledger
