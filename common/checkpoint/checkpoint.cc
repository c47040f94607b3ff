#include "common/checkpoint/checkpoint.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/hash.h"

namespace srlm::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr char kManifest[] = "checkpoint.json";
constexpr char kPrefix[] = "step-";
constexpr char kBeside[] = ".tmp-";

struct FileEntry {
  std::string name;
  size_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  TrainingState state;
  std::vector<FileEntry> files;
};

std::string_view BytesOf(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

ordered_json ToJson(const Manifest& manifest) {
  const TrainingState& state = manifest.state;
  ordered_json json;
  json["state"] = {{"step", state.step},         {"total_steps", state.total_steps}, {"seed", state.seed},
                   {"model_id", state.model_id}, {"data_sha256", state.data_sha256}, {"settings", state.settings}};
  json["files"] = ordered_json::array();
  for (const FileEntry& file : manifest.files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return json;
}

/// The manifest protects itself too: its last key is the hash of the others.
std::string ToText(const Manifest& manifest) {
  ordered_json json = ToJson(manifest);
  json["sha256"] = Sha256(json.dump());
  return json.dump(1) + "\n";
}

Result<Manifest> ReadManifest(const std::string& checkpoint) {
  const std::string path = checkpoint + "/" + kManifest;
  SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const Status torn = DataLoss(path + ": torn or changed; delete this checkpoint");
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return torn;
  Manifest manifest;
  try {
    const ordered_json& state = json.at("state");
    manifest.state = {state.at("step").get<int64_t>(),
                      state.at("total_steps").get<int64_t>(),
                      state.at("seed").get<uint64_t>(),
                      state.at("model_id").get<std::string>(),
                      state.at("data_sha256").get<std::string>(),
                      state.at("settings").get<std::string>()};
    for (const auto& file : json.at("files")) {
      manifest.files.push_back(
          {file.at("name").get<std::string>(), file.at("bytes").get<size_t>(), file.at("sha256").get<std::string>()});
    }
    if (json.at("sha256").get<std::string>() != Sha256(ToJson(manifest).dump())) return torn;
  } catch (const nlohmann::json::exception&) {
    return torn;
  }
  return manifest;
}

Status CheckFile(const std::string& checkpoint, const FileEntry& file) {
  const std::string path = checkpoint + "/" + file.name;
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error || bytes != file.bytes) {
    return DataLoss(fmt::format("{}: {} bytes expected, {} there", path, file.bytes,
                                error ? error.message() : std::to_string(bytes)));
  }
  SRLM_ASSIGN_OR_RETURN(const std::string sha256, Sha256File(path));
  if (sha256 == file.sha256) return OkStatus();
  return DataLoss(path + ": its SHA-256 is not the one that was written; delete this checkpoint");
}

Result<Manifest> WriteParts(const std::string& folder, const TrainingState& state, std::span<const Part> parts) {
  Manifest manifest;
  manifest.state = state;
  for (const Part& part : parts) {
    const std::string_view bytes = BytesOf(part.values);
    SRLM_RETURN_IF_ERROR(WriteFileAtomic(folder + "/" + part.name + ".f32", bytes));
    manifest.files.push_back({part.name + ".f32", bytes.size(), Sha256(bytes)});
  }
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(folder + "/" + kManifest, ToText(manifest)));
  return manifest;
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::string folder, int keep)
    : folder_(std::move(folder)), keep_(std::max(keep, 1)) {}

std::vector<std::string> CheckpointFolder::List() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().filename().string().starts_with(kPrefix)) found.push_back(entry.path().string());
  }
  std::ranges::sort(found);  // steps have a fixed width
  return found;
}

Result<std::string> CheckpointFolder::Save(const TrainingState& state, std::span<const Part> parts) {
  SRLM_RETURN_IF_ERROR(MakeFolders(folder_));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {  // what a killed job left
    if (entry.path().filename().string().starts_with(kBeside)) fs::remove_all(entry.path(), error);
  }
  const std::string name = fmt::format("{}{:08}", kPrefix, state.step);
  const std::string path = folder_ + "/" + name, beside = fmt::format("{}/{}{}", folder_, kBeside, name);
  SRLM_RETURN_IF_ERROR(MakeFolders(beside));
  Failpoint("checkpoint.before_write");
  const auto written = WriteParts(beside, state, parts);
  if (!written.ok()) {
    fs::remove_all(beside, error);
    return written.status();
  }
  SRLM_RETURN_IF_ERROR(SyncPath(beside));
  Failpoint("checkpoint.before_rename");
  fs::remove_all(path, error);  // the same step of an earlier attempt
  fs::rename(beside, path, error);
  if (error) return FileError("rename to", path, error.value());
  SRLM_RETURN_IF_ERROR(SyncPath(folder_));
  Failpoint("checkpoint.before_verify");
  SRLM_RETURN_IF_ERROR(Verify(path));
  Failpoint("checkpoint.before_delete");
  const std::vector<std::string> all = List();
  for (size_t i = 0; i + static_cast<size_t>(keep_) < all.size(); ++i) fs::remove_all(all[i], error);
  Failpoint("checkpoint.after_delete");
  return path;
}

Result<std::string> CheckpointFolder::NewestWhole() const {
  const std::vector<std::string> all = List();
  if (all.empty()) return NotFound(folder_ + ": no checkpoint");
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    if (Verify(*path).ok()) return *path;
  }
  return DataLoss(folder_ + ": no checkpoint is whole: " + Verify(all.back()).message());
}

Status Verify(const std::string& checkpoint) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(checkpoint));
  for (const FileEntry& file : manifest.files) SRLM_RETURN_IF_ERROR(CheckFile(checkpoint, file));
  return OkStatus();
}

Result<TrainingState> Read(const std::string& checkpoint, std::span<const MutablePart> parts) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(checkpoint));
  for (const MutablePart& part : parts) {
    const auto file = std::ranges::find(manifest.files, part.name + ".f32", &FileEntry::name);
    if (file == manifest.files.end()) return InvalidArgument(checkpoint + ": has no part '" + part.name + "'");
    if (file->bytes != part.values.size_bytes()) {
      return InvalidArgument(fmt::format("{}/{}: {} bytes, {} are wanted: it is another model's", checkpoint,
                                         file->name, file->bytes, part.values.size_bytes()));
    }
    SRLM_RETURN_IF_ERROR(CheckFile(checkpoint, *file));
    SRLM_ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::Open(checkpoint + "/" + file->name));
    if (mapped.size() != part.values.size_bytes())
      return DataLoss(checkpoint + "/" + file->name + ": changed its size");
    std::memcpy(part.values.data(), mapped.data(), mapped.size());
  }
  return manifest.state;
}

}  // namespace srlm::checkpoint
