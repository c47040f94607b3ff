#include "common/base/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/json_file.h"

namespace srlm {
namespace {

bool BelongsToModel(const std::string& name) {
  static constexpr const char* kNames[] = {
      "config.json",         "generation_config.json",       "tokenizer.json",         "tokenizer_config.json",
      "chat_template.jinja", "model.safetensors.index.json", "special_tokens_map.json"};
  return name.ends_with(".safetensors") || std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace

std::string Manifest::ModelId() const {
  std::string all;
  for (const ManifestFile& file : files) all += fmt::format("{} {} {}\n", file.name, file.bytes, file.sha256);
  return Sha256(all).substr(0, 16);
}

Result<Manifest> HashModelFolder(const std::string& folder) {
  Manifest manifest;
  std::error_code error;
  bool has_config = false, has_weights = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || !BelongsToModel(name)) continue;
    SRLM_ASSIGN_OR_RETURN(std::string sha256, Sha256File(entry.path().string()));
    manifest.files.push_back({name, static_cast<int64_t>(entry.file_size()), std::move(sha256)});
    has_config |= name == "config.json";
    has_weights |= name.ends_with(".safetensors");
  }
  if (error) return NotFound(fmt::format("{}: cannot read the model folder: {}", folder, error.message()));
  if (!has_config) return NotFound(folder + ": no config.json; a model folder has Hugging Face's layout");
  if (!has_weights) return NotFound(folder + ": no .safetensors file; convert the weights to safetensors first");
  std::ranges::sort(manifest.files, {}, &ManifestFile::name);
  return manifest;
}

Status WriteManifest(const std::string& folder, const Manifest& manifest) {
  nlohmann::ordered_json json;
  json["model_id"] = manifest.ModelId();
  json["files"] = nlohmann::ordered_json::array();
  for (const ManifestFile& file : manifest.files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return WriteFileAtomic(folder + "/" + kManifestFile, json.dump(1) + "\n");
}

Result<Manifest> ReadManifest(const std::string& folder) {
  const std::string path = folder + "/" + kManifestFile;
  if (!std::filesystem::exists(path)) return HashModelFolder(folder);
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  const auto json = ParseJsonObject(content, path);
  const Status wrong = DataLoss(path + ": not a manifest; delete it to have the folder hashed again");
  if (!json.ok() || !json.value().contains("files") || !json.value()["files"].is_array()) return wrong;
  Manifest manifest;
  for (const auto& file : json.value()["files"]) {
    try {
      manifest.files.push_back(
          {file.at("name").get<std::string>(), file.at("bytes").get<int64_t>(), file.at("sha256").get<std::string>()});
    } catch (const nlohmann::json::exception&) {
      return wrong;
    }
    if (manifest.files.back().name.find('/') != std::string::npos) return wrong;
    std::error_code error;
    const auto size = std::filesystem::file_size(folder + "/" + manifest.files.back().name, error);
    if (error || static_cast<int64_t>(size) != manifest.files.back().bytes) {
      return DataLoss(fmt::format("{}/{}: {} bytes expected by {}, {} there", folder, manifest.files.back().name,
                                  manifest.files.back().bytes, kManifestFile,
                                  error ? error.message() : std::to_string(size)));
    }
  }
  return manifest;
}

Status VerifyManifest(const std::string& folder, const Manifest& manifest) {
  for (const ManifestFile& file : manifest.files) {
    SRLM_ASSIGN_OR_RETURN(const std::string sha256, Sha256File(folder + "/" + file.name));
    if (sha256 != file.sha256) {
      return DataLoss(fmt::format("{}/{}: its SHA-256 is {}..., the manifest says {}...", folder, file.name,
                                  sha256.substr(0, 12), file.sha256.substr(0, 12)));
    }
  }
  return OkStatus();
}

}  // namespace srlm
