// Fields of one row of a JSON Lines file, taken with checks; every failure names the file, the line and the field.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/jsonl.h"
#include "common/data/prompt_input.h"

namespace srlm::data {

class Row {
 public:
  Row(const nlohmann::json& json, const JsonlReader& reader) : json_(json), reader_(reader) {}

  bool Has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  /// The first of `keys` that the row has; the first one when it has none, so that messages name it.
  const char* FirstOf(std::initializer_list<const char*> keys) const;

  Result<std::string> Text(const char* key) const;
  /// A text that is not empty or blank.
  Result<std::string> FilledText(const char* key) const;
  /// A text that is not empty, or an integer as text.
  Result<std::string> Id(const char* key) const;
  Result<double> Number(const char* key) const;
  Result<int> Whole(const char* key, int min, int max) const;
  /// false when the row has no such field.
  Result<bool> Flag(const char* key) const;
  Result<std::optional<double>> OptionalNumber(const char* key) const;
  /// Empty when the row has no such field.
  Result<std::vector<int>> TokenIds(const char* key) const;
  /// A list of texts.
  Result<std::vector<std::string>> Texts(const char* key) const;
  /// An object in the row, and a list of objects: rows in the same line, valid while this row is.
  Result<Row> Object(const char* key) const;
  Result<std::vector<Row>> Objects(const char* key) const;
  /// A message list: objects with the texts "role" and "content".
  Result<std::vector<Message>> Messages(const char* key) const;
  /// "prompt" (a text or a message list) or "messages", with "raw".
  Result<PromptInput> Input() const;
  /// An answer: a text, or a list of one assistant message.
  Result<std::string> Answer(const char* key) const;

  bool IsList(const char* key) const { return Has(key) && json_[key].is_array(); }
  /// `file:line`
  std::string Where() const { return reader_.Where(); }
  Status Error(const std::string& message) const { return reader_.Error(message); }

 private:
  Status Missing(const char* key) const;
  Status Wrong(const char* key, const char* wanted) const;

  const nlohmann::json& json_;
  const JsonlReader& reader_;
};

/// Whether a text has nothing but white space.
bool IsBlankText(const std::string& text);

}  // namespace srlm::data
