#include "common/checkpoint/manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/json_file.h"

namespace srlm::checkpoint {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kVersion = 3;  // of what a checkpoint's files are

ordered_json ToJson(const Manifest& manifest) {
  const TrainingState& state = manifest.state;
  ordered_json json;
  json["version"] = kVersion;
  json["step"] = state.step;
  json["tokens"] = state.tokens;
  json["seconds"] = state.seconds;
  json["reference_seconds"] = state.reference_seconds;
  json["first_loss"] = state.first_loss;
  json["shards"] = state.shards;
  json["shard_multiple"] = state.shard_multiple;
  json["model_id"] = state.identity.model_id;
  json["data_sha256"] = state.identity.data_sha256;
  json["settings"] = state.identity.settings;
  json["files"] = ordered_json::array();
  for (const FileEntry& file : manifest.files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return json;
}

/// Throws nlohmann's exceptions.
Manifest FromJson(const ordered_json& json) {
  Manifest manifest;
  TrainingState& state = manifest.state;
  json.at("step").get_to(state.step);
  json.at("tokens").get_to(state.tokens);
  json.at("seconds").get_to(state.seconds);
  json.at("reference_seconds").get_to(state.reference_seconds);
  json.at("first_loss").get_to(state.first_loss);
  json.at("shards").get_to(state.shards);
  json.at("shard_multiple").get_to(state.shard_multiple);
  json.at("model_id").get_to(state.identity.model_id);
  json.at("data_sha256").get_to(state.identity.data_sha256);
  json.at("settings").get_to(state.identity.settings);
  for (const auto& file : json.at("files")) {
    manifest.files.push_back(
        {file.at("name").get<std::string>(), file.at("bytes").get<size_t>(), file.at("sha256").get<std::string>()});
  }
  return manifest;
}

}  // namespace

std::string ManifestText(const Manifest& manifest) {
  ordered_json json = ToJson(manifest);
  json["sha256"] = Sha256(json.dump());
  return json.dump(1) + "\n";
}

Result<Manifest> ReadManifest(const std::string& checkpoint) {
  const std::string path = checkpoint + "/" + kManifestFile;
  const Status torn = DataLoss(path + ": missing, torn or changed");
  const auto text = ReadSmallFile(path);
  if (!text.ok()) return torn;
  const auto json = ParseOrderedJsonObject(text.value(), path);
  if (!json.ok()) return torn;
  try {
    // Whoever wrote it could read it: it is whole, and no use here.
    if (const int64_t version = json.value().value("version", int64_t{0}); version != kVersion) {
      return DataLoss(fmt::format("{}: written by another version of srlm, which alone can go on from it", path));
    }
    Manifest manifest = FromJson(json.value());
    if (json.value().at("sha256").get<std::string>() != Sha256(ToJson(manifest).dump())) return torn;
    return manifest;
  } catch (const nlohmann::json::exception&) {
    return torn;
  }
}

}  // namespace srlm::checkpoint
