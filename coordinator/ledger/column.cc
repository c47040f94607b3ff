#include "coordinator/ledger/column.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

namespace srlm::ledger {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ParseColumn(sqlite3_stmt* statement, int column) {
  std::string text;
  ReadColumn(statement, column, text);
  return Json::parse(text, nullptr, false);
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "token ids are stored as they lie in memory");

void BindColumn(sqlite3_stmt* statement, int parameter, double value) {
  sqlite3_bind_double(statement, parameter, value);
}

void BindColumn(sqlite3_stmt* statement, int parameter, const std::string& value) {
  sqlite3_bind_text64(statement, parameter, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void BindColumn(sqlite3_stmt* statement, int parameter, const std::optional<double>& value) {
  if (value)
    sqlite3_bind_double(statement, parameter, *value);
  else
    sqlite3_bind_null(statement, parameter);
}

void BindColumn(sqlite3_stmt* statement, int parameter, const std::vector<int>& token_ids) {
  static constexpr char kEmpty = 0;  // a null pointer would be NULL, not an empty list
  const void* bytes = token_ids.empty() ? static_cast<const void*>(&kEmpty) : token_ids.data();
  sqlite3_bind_blob64(statement, parameter, bytes, token_ids.size() * sizeof(int), SQLITE_TRANSIENT);
}

void BindColumn(sqlite3_stmt* statement, int parameter, const std::vector<std::string>& texts) {
  BindColumn(statement, parameter, Dump(Json(texts)));
}

void BindColumn(sqlite3_stmt* statement, int parameter, const data::PromptInput& input) {
  Json json;
  if (input.raw) {
    json["raw"] = input.raw_text;
  } else {
    json["messages"] = Json::array();
    for (const Message& message : input.messages)
      json["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  BindColumn(statement, parameter, Dump(json));
}

void ReadColumn(sqlite3_stmt* statement, int column, double& value) {
  value = sqlite3_column_double(statement, column);
}

void ReadColumn(sqlite3_stmt* statement, int column, std::string& value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  value.assign(text == nullptr ? "" : text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

void ReadColumn(sqlite3_stmt* statement, int column, std::optional<double>& value) {
  value.reset();
  if (sqlite3_column_type(statement, column) != SQLITE_NULL) value = sqlite3_column_double(statement, column);
}

void ReadColumn(sqlite3_stmt* statement, int column, std::vector<int>& token_ids) {
  const void* bytes = sqlite3_column_blob(statement, column);
  token_ids.resize(static_cast<size_t>(sqlite3_column_bytes(statement, column)) / sizeof(int));
  if (!token_ids.empty()) std::memcpy(token_ids.data(), bytes, token_ids.size() * sizeof(int));
}

void ReadColumn(sqlite3_stmt* statement, int column, std::vector<std::string>& texts) {
  texts.clear();
  for (const Json& text : ParseColumn(statement, column))
    if (text.is_string()) texts.push_back(text.get<std::string>());
}

void ReadColumn(sqlite3_stmt* statement, int column, data::PromptInput& input) {
  const Json json = ParseColumn(statement, column);
  input = {};
  if (!json.is_object()) return;
  if (json.contains("raw") && json["raw"].is_string()) {
    input = data::PromptInput::Raw(json["raw"].get<std::string>());
  } else if (json.contains("messages")) {
    for (const Json& message : json["messages"])
      input.messages.push_back({message.value("role", ""), message.value("content", "")});
  }
}

}  // namespace srlm::ledger
