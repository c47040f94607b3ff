#include "common/data/row.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace srlm::data {

bool IsBlankText(const std::string& text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string::npos; }

Status Row::Missing(const char* key) const { return Error(fmt::format("'{}' is missing", key)); }

Status Row::Wrong(const char* key, const char* wanted) const {
  return Error(fmt::format("'{}': wanted {}, found {}", key, wanted, json_[key].type_name()));
}

const char* Row::FirstOf(std::initializer_list<const char*> keys) const {
  for (const char* key : keys)
    if (Has(key)) return key;
  return *keys.begin();
}

Result<std::string> Row::Text(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_string()) return Wrong(key, "text");
  return json_[key].get<std::string>();
}

Result<std::string> Row::FilledText(const char* key) const {
  SRLM_ASSIGN_OR_RETURN(std::string text, Text(key));
  if (IsBlankText(text)) return Error(fmt::format("'{}' is empty", key));
  return text;
}

Result<std::string> Row::Id(const char* key) const {
  if (Has(key) && json_[key].is_number_integer()) return json_[key].dump();
  if (Has(key) && !json_[key].is_string()) return Wrong(key, "text or a whole number");
  return FilledText(key);
}

Result<double> Row::Number(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_number()) return Wrong(key, "a number");
  const double number = json_[key].get<double>();
  if (!std::isfinite(number)) return Error(fmt::format("'{}' is not a finite number", key));
  return number;
}

Result<int> Row::Whole(const char* key, int min, int max) const {
  SRLM_ASSIGN_OR_RETURN(const double number, Number(key));
  if (number != std::floor(number) || number < min || number > max)
    return Error(fmt::format("'{}' is {}, wanted a whole number from {} to {}", key, number, min, max));
  return static_cast<int>(number);
}

Result<bool> Row::Flag(const char* key) const {
  if (!Has(key)) return false;
  if (!json_[key].is_boolean()) return Wrong(key, "true or false");
  return json_[key].get<bool>();
}

Result<std::optional<double>> Row::OptionalNumber(const char* key) const {
  if (!Has(key)) return std::optional<double>();
  SRLM_ASSIGN_OR_RETURN(const double number, Number(key));
  return std::optional<double>(number);
}

Result<std::vector<int>> Row::TokenIds(const char* key) const {
  std::vector<int> ids;
  if (!Has(key)) return ids;
  if (!json_[key].is_array()) return Wrong(key, "a list of token ids");
  ids.reserve(json_[key].size());
  for (const nlohmann::json& id : json_[key]) {
    // An id that is no integer, or a negative one, or none that fits: all are no token.
    const bool fits = id.is_number_unsigned() && id.get<uint64_t>() <= std::numeric_limits<int>::max();
    if (!fits) return Error(fmt::format("'{}': element {} is not a token id", key, ids.size()));
    ids.push_back(id.get<int>());
  }
  return ids;
}

Result<std::vector<std::string>> Row::Texts(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_array()) return Wrong(key, "a list of texts");
  std::vector<std::string> texts;
  for (const nlohmann::json& item : json_[key]) {
    if (!item.is_string()) return Error(fmt::format("'{}': element {} is no text", key, texts.size() + 1));
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<Row> Row::Object(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_object()) return Wrong(key, "an object");
  return Row(json_[key], reader_);
}

Result<std::vector<Row>> Row::Objects(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_array()) return Wrong(key, "a list of objects");
  std::vector<Row> rows;
  for (const nlohmann::json& item : json_[key]) {
    if (!item.is_object()) return Error(fmt::format("'{}': element {} is no object", key, rows.size() + 1));
    rows.emplace_back(item, reader_);
  }
  return rows;
}

Result<std::vector<Message>> Row::Messages(const char* key) const {
  if (!Has(key)) return Missing(key);
  if (!json_[key].is_array()) return Wrong(key, "a list of messages");
  std::vector<Message> messages;
  for (const nlohmann::json& item : json_[key]) {
    const auto is_text = [&item](const char* field) {
      return item.is_object() && item.contains(field) && item[field].is_string();
    };
    if (!is_text("role") || !is_text("content"))
      return Error(fmt::format("'{}': message {} needs the texts 'role' and 'content'", key, messages.size() + 1));
    messages.push_back({item["role"].get<std::string>(), item["content"].get<std::string>()});
    if (messages.back().role.empty())
      return Error(fmt::format("'{}': message {} has an empty role", key, messages.size()));
  }
  if (messages.empty()) return Error(fmt::format("'{}' has no messages", key));
  return messages;
}

Result<PromptInput> Row::Input() const {
  SRLM_ASSIGN_OR_RETURN(const bool raw, Flag("raw"));
  if (Has("prompt") && Has("messages")) return Error("has both 'prompt' and 'messages'; keep one");
  if (!Has("prompt") && !Has("messages")) return Missing("prompt");
  const char* key = FirstOf({"prompt", "messages"});
  if (std::string_view(key) == "prompt" && !IsList(key)) {
    SRLM_ASSIGN_OR_RETURN(std::string text, FilledText(key));
    return raw ? PromptInput::Raw(std::move(text)) : PromptInput::FromUser(std::move(text));
  }
  if (raw) return Error("'raw' is true: wanted 'prompt' as text, found messages");
  PromptInput input;
  SRLM_ASSIGN_OR_RETURN(input.messages, Messages(key));
  const Message& last = input.messages.back();
  if (last.role == "assistant")
    return Error(fmt::format("'{}' ends with the assistant's message, nothing to answer", key));
  if (IsBlankText(last.content)) return Error(fmt::format("'{}': the last message is empty", key));
  return input;
}

Result<std::string> Row::Answer(const char* key) const {
  if (!IsList(key)) return Text(key);
  SRLM_ASSIGN_OR_RETURN(const std::vector<Message> messages, Messages(key));
  if (messages.size() != 1 || messages[0].role != "assistant")
    return Error(fmt::format("'{}': wanted text or one assistant message, found {} messages, the last of role '{}'",
                             key, messages.size(), messages.back().role));
  return messages[0].content;
}

}  // namespace srlm::data
