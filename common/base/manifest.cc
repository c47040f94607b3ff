#include "common/base/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/json_file.h"

namespace srlm {
namespace {

bool BelongsToModel(const std::string& name) {
  static constexpr const char* kNames[] = {
      "config.json",         "generation_config.json",       "tokenizer.json",          "tokenizer_config.json",
      "chat_template.jinja", "model.safetensors.index.json", "special_tokens_map.json", "adapter_config.json"};
  return name.ends_with(".safetensors") || std::ranges::find(kNames, name) != std::end(kNames);
}

bool IsHash(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// An entry of the stored manifest; none unless it names a file directly in the folder, a size and a hash.
std::optional<ManifestFile> ReadEntry(const nlohmann::json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto name = entry.find("name"), bytes = entry.find("bytes"), sha256 = entry.find("sha256");
  if (name == entry.end() || bytes == entry.end() || sha256 == entry.end()) return std::nullopt;
  if (!name->is_string() || !bytes->is_number_unsigned() || !sha256->is_string()) return std::nullopt;
  ManifestFile file{name->get<std::string>(), bytes->get<int64_t>(), sha256->get<std::string>()};
  if (!BelongsToModel(file.name) || file.name.find('/') != std::string::npos) return std::nullopt;
  if (file.bytes < 0 || !IsHash(file.sha256)) return std::nullopt;
  return file;
}

}  // namespace

std::string Manifest::ModelId() const {
  std::string all;
  for (const ManifestFile& file : files) all += fmt::format("{} {} {}\n", file.name, file.bytes, file.sha256);
  return Sha256(all).substr(0, 16);
}

Result<Manifest> HashModelFolder(const std::string& folder, const std::function<void()>& progress) {
  Manifest manifest;
  std::error_code error;
  bool has_config = false, has_weights = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || !BelongsToModel(name)) continue;
    SRLM_ASSIGN_OR_RETURN(std::string sha256, Sha256File(entry.path().string(), progress));
    manifest.files.push_back({name, static_cast<int64_t>(entry.file_size()), std::move(sha256)});
    has_config |= name == "config.json" || name == "adapter_config.json";
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
  const auto bad = [&](const std::string& what) {
    return DataLoss(fmt::format("{}: {}; delete it to have the folder hashed again", path, what));
  };
  const auto json = ParseJsonObject(content, path);
  if (!json.ok() || !json->contains("files") || !(*json)["files"].is_array()) return bad("not a manifest");
  Manifest manifest;
  for (const auto& entry : (*json)["files"]) {
    const std::optional<ManifestFile> file = ReadEntry(entry);
    if (!file) return bad("a file's entry is not {name, bytes, sha256} of a file in the folder");
    manifest.files.push_back(*file);
    std::error_code error;
    const auto size = std::filesystem::file_size(folder + "/" + file->name, error);
    if (error || static_cast<int64_t>(size) != file->bytes) {
      return DataLoss(fmt::format("{}/{}: {} bytes expected by {}, {} there", folder, file->name, file->bytes,
                                  kManifestFile, error ? error.message() : std::to_string(size)));
    }
  }
  if (manifest.files.empty()) return bad("it lists no file");
  const auto unsorted = std::ranges::adjacent_find(manifest.files, std::ranges::greater_equal(), &ManifestFile::name);
  if (unsorted != manifest.files.end()) return bad(fmt::format("{} is out of order or there twice", unsorted->name));
  const auto id = json->find("model_id");
  if (id == json->end() || !id->is_string() || id->get<std::string>() != manifest.ModelId())
    return bad("its model_id is not that of its files");
  return manifest;
}

Status VerifyManifest(const std::string& folder, const Manifest& manifest, const std::function<void()>& progress) {
  for (const ManifestFile& file : manifest.files) {
    SRLM_ASSIGN_OR_RETURN(const std::string sha256, Sha256File(folder + "/" + file.name, progress));
    if (sha256 != file.sha256) {
      return DataLoss(fmt::format("{}/{}: its SHA-256 is {}..., the manifest says {}...", folder, file.name,
                                  sha256.substr(0, 12), file.sha256.substr(0, 12)));
    }
  }
  return OkStatus();
}

}  // namespace srlm
