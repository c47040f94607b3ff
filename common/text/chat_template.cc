#include "common/text/chat_template.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "common/base/json_file.h"
#include "common/text/bytes.h"

namespace srlm::text {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr size_t kTemplateLimitBytes = size_t{4} << 20;

/// A template's text and where it stands.
struct Source {
  std::string path;
  std::string text;
};

/// The object in `path`, or an empty one when there is no such file.
Result<json> ReadOptionalJson(const std::string& path) {
  Result<json> value = ReadJsonObject(path);
  if (!value.ok() && value.status().code() == Code::kNotFound) return json::object();
  return value;
}

Status NoTemplate(const std::string& model_folder) {
  return NotFound(
      fmt::format("{}: no chat template (chat_template.jinja, or chat_template in tokenizer_config.json): pass "
                  "--chat-template FILE",
                  model_folder));
}

/// chat_template of tokenizer_config.json: a string, or a list of {"name", "template"} with one named "default".
Result<Source> SourceInConfig(const std::string& model_folder, const json& config, const std::string& path) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return NoTemplate(model_folder);
  if (found->is_string()) return Source{path + " (chat_template)", found->get<std::string>()};
  if (!found->is_array()) return InvalidArgument(path + ": chat_template is neither a string nor a list");
  for (const json& entry : *found) {
    if (!entry.is_object() || !entry.contains("name") || !entry.contains("template") || !entry["name"].is_string() ||
        !entry["template"].is_string()) {
      return InvalidArgument(path + ": chat_template is a list, but not one of {\"name\", \"template\"}");
    }
    if (entry["name"] == "default") return Source{path + " (chat_template)", entry["template"].get<std::string>()};
  }
  return NotFound(path + ": chat_template names no \"default\": pass --chat-template FILE");
}

Result<Source> FindSource(const std::string& model_folder, const std::string& override_file, const json& config,
                          const std::string& config_path) {
  const std::string jinja = model_folder + "/chat_template.jinja";
  std::error_code error;
  if (override_file.empty() && !std::filesystem::exists(jinja, error)) {
    return SourceInConfig(model_folder, config, config_path);
  }
  const std::string& path = override_file.empty() ? jinja : override_file;
  SRLM_ASSIGN_OR_RETURN(std::string text, ReadSmallFile(path, kTemplateLimitBytes));
  return Source{path, std::move(text)};
}

/// bos_token and its like: {"bos_token": "<s>"} or {"bos_token": {"content": "<s>"}}, in either file.
void AddSpecialTokens(const json& from, ordered_json& variables) {
  for (const auto& [name, value] : from.items()) {
    if (!name.ends_with("_token") || variables.contains(name)) continue;
    if (value.is_string()) variables[name] = value;
    if (value.is_object() && value.contains("content") && value["content"].is_string()) {
      variables[name] = value["content"];
    }
  }
}

}  // namespace

Result<std::unique_ptr<ChatTemplate>> ChatTemplate::Load(const std::string& model_folder,
                                                         const std::string& override_file) {
  const std::string config_path = model_folder + "/tokenizer_config.json";
  SRLM_ASSIGN_OR_RETURN(const json config, ReadOptionalJson(config_path));
  SRLM_ASSIGN_OR_RETURN(Source source, FindSource(model_folder, override_file, config, config_path));
  SRLM_ASSIGN_OR_RETURN(const json special_tokens, ReadOptionalJson(model_folder + "/special_tokens_map.json"));
  ordered_json variables = {{"tools", nullptr}, {"documents", nullptr}};
  AddSpecialTokens(config, variables);
  AddSpecialTokens(special_tokens, variables);

  SrlmTextTemplate* chat_template = nullptr;
  SrlmTextBytes error{};
  if (srlm_text_template_load(Data(source.text), source.text.size(), &chat_template, &error) != 0) {
    return InvalidArgument(fmt::format("{}: {}", source.path, TakeString(error)));
  }
  return std::unique_ptr<ChatTemplate>(
      new ChatTemplate(chat_template, std::move(source.path), std::move(source.text), std::move(variables)));
}

ChatTemplate::ChatTemplate(SrlmTextTemplate* chat_template, std::string path, std::string source,
                           ordered_json variables)
    : template_(chat_template), path_(std::move(path)), source_(std::move(source)), variables_(std::move(variables)) {}

ChatTemplate::~ChatTemplate() { srlm_text_template_free(template_); }

Result<std::string> ChatTemplate::Render(std::span<const Message> messages, bool add_generation_prompt) const {
  ordered_json variables = variables_;
  ordered_json& list = variables["messages"] = ordered_json::array();
  for (const Message& message : messages) {
    SRLM_RETURN_IF_ERROR(CheckUtf8(message.role));
    SRLM_RETURN_IF_ERROR(CheckUtf8(message.content));
    list.push_back({{"role", message.role}, {"content", message.content}});
  }
  variables["add_generation_prompt"] = add_generation_prompt;
  const std::string json = variables.dump();  // cannot throw: every string in it is UTF-8
  SrlmTextBytes text{};
  SrlmTextBytes error{};
  if (srlm_text_template_render(template_, Data(json), json.size(), &text, &error) != 0) {
    return InvalidArgument(fmt::format("{}: {}", path_, TakeString(error)));
  }
  return TakeString(text);
}

}  // namespace srlm::text
