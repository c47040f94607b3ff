#include "coordinator/measure/named_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "common/base/manifest.h"
#include "common/config/config.h"
#include "common/text/chat_template.h"

namespace srlm::measure {
namespace {

namespace fs = std::filesystem;

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool IsRun(const std::string& folder) { return Exists(folder + "/config.yaml") && Exists(folder + "/ledger.sqlite"); }

std::string Absolute(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal().string();
}

/// Names of the models that a run has made. A model is there with its manifest, which is written last.
std::vector<std::string> MadeModels(const std::string& run_dir) {
  std::vector<std::string> names;
  for (int number = 1; Exists(fmt::format("{}/models/M{}/{}", run_dir, number, kManifestFile)); ++number)
    names.push_back(fmt::format("M{}", number));
  return names;
}

Result<NamedModel> WithId(NamedModel model) {
  auto manifest = ReadManifest(model.folder);
  if (!manifest.ok()) return manifest.status().WithContext(model.name);
  model.model_id = manifest->ModelId();
  return model;
}

Result<NamedModel> OfRun(const std::string& run_dir, const std::string& name) {
  SRLM_ASSIGN_OR_RETURN(const config::RunConfig config, config::Load(run_dir + "/config.yaml"));
  const std::vector<std::string> made = MadeModels(run_dir);
  if (name != "M0" && std::ranges::find(made, name) == made.end())
    return NotFound(fmt::format("{}: this run has no model {}; it has {}", run_dir, name,
                                made.empty() ? "M0 alone" : fmt::format("M0, {}", fmt::join(made, ", "))));
  NamedModel model{.name = run_dir + ":" + name,
                   .folder = Absolute(name == "M0" ? config.model : run_dir + "/models/" + name),
                   .run_dir = run_dir,
                   .chat_template = config.chat_template,
                   .judge_template = config.judge.judge_template,
                   .parse_special_tokens = config.special_tokens_in_text == config::SpecialTokensInText::kParse};
  return WithId(std::move(model));
}

}  // namespace

Result<std::vector<NamedModel>> FindModels(const std::string& text) {
  if (IsRun(text)) {
    const std::vector<std::string> made = MadeModels(text);
    if (made.empty())
      return NotFound(fmt::format("{}: this run has made no model yet; {}:M0 is the one it began with", text, text));
    std::vector<NamedModel> models;
    for (const std::string& name : made) {
      SRLM_ASSIGN_OR_RETURN(models.emplace_back(), OfRun(text, name));
    }
    return models;
  }
  if (Exists(text)) {
    SRLM_ASSIGN_OR_RETURN(NamedModel model, WithId({.name = text, .folder = Absolute(text)}));
    return std::vector<NamedModel>{std::move(model)};
  }
  if (const size_t colon = text.rfind(':'); colon != std::string::npos && IsRun(text.substr(0, colon))) {
    SRLM_ASSIGN_OR_RETURN(NamedModel model, OfRun(text.substr(0, colon), text.substr(colon + 1)));
    return std::vector<NamedModel>{std::move(model)};
  }
  return NotFound(text + ": neither a model folder nor a run; wanted a folder, RUN or RUN:M2");
}

Result<NamedModel> FindModel(const std::string& text) {
  SRLM_ASSIGN_OR_RETURN(std::vector<NamedModel> models, FindModels(text));
  if (IsRun(text))
    return InvalidArgument(fmt::format("{}: a run; say which of its models, as in {}", text, models.back().name));
  return std::move(models.front());
}

Status GiveChatTemplate(const std::string& path, std::span<NamedModel* const> models) {
  bool given = false;
  for (NamedModel* const model : models) {
    if (!model->chat_template.empty()) continue;
    const Status own = text::ChatTemplate::Load(model->folder, "").status();
    if (own.ok()) continue;
    if (own.code() != Code::kNotFound) return own;
    SRLM_RETURN_IF_ERROR(text::ChatTemplate::Load(model->folder, path).status());
    model->chat_template = path;
    given = true;
  }
  if (given) return OkStatus();
  return InvalidArgument(path + ": not needed, each model has a chat template; leave --chat-template out");
}

}  // namespace srlm::measure
