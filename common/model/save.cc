#include "common/model/save.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/json_file.h"

namespace srlm::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Consecutive parameters [begin, end) that share a file.
struct Shard {
  size_t begin = 0;
  size_t end = 0;
  std::string name;
};

std::vector<Shard> PlanShards(const ParameterTable& table, int64_t max_shard_bytes) {
  std::vector<Shard> shards = {{}};
  int64_t bytes = 0;
  for (size_t i = 0; i < table.parameters.size(); ++i) {
    const int64_t more = table.parameters[i].elements * static_cast<int64_t>(sizeof(float));
    if (bytes > 0 && bytes + more > max_shard_bytes) {
      shards.push_back({i, i, ""});
      bytes = 0;
    }
    bytes += more;
    shards.back().end = i + 1;
  }
  for (size_t i = 0; i < shards.size(); ++i) {
    shards[i].name = shards.size() == 1 ? "model.safetensors"
                                        : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
  }
  return shards;
}

std::string HeaderOf(std::span<const Parameter> parameters) {
  ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  int64_t at = 0;
  for (const Parameter& parameter : parameters) {
    const int64_t end = at + parameter.elements * static_cast<int64_t>(sizeof(float));
    header[parameter.name] = {{"dtype", "F32"}, {"shape", parameter.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data is aligned
  return text;
}

Status WriteIndex(const std::string& folder, const ParameterTable& table, const std::vector<Shard>& shards) {
  ordered_json index;
  int64_t elements = 0;
  for (const Parameter& parameter : table.parameters) elements += parameter.elements;
  index["metadata"] = {{"total_size", elements * static_cast<int64_t>(sizeof(float))}};
  for (const Shard& shard : shards) {
    for (size_t i = shard.begin; i < shard.end; ++i) index["weight_map"][table.parameters[i].name] = shard.name;
  }
  return WriteFileAtomic(folder + "/model.safetensors.index.json", index.dump(1) + "\n");
}

/// config.json with the type that the weights now have; everything else stays as it was.
Status WriteConfig(const std::string& folder, const std::string& source_folder) {
  const std::string path = source_folder + "/config.json";
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadSmallFile(path));
  SRLM_ASSIGN_OR_RETURN(ordered_json config, ParseOrderedJsonObject(content, path));
  config[config.contains("torch_dtype") ? "torch_dtype" : "dtype"] = "float32";
  return WriteFileAtomic(folder + "/config.json", config.dump(2) + "\n");
}

Status CopyText(const std::string& folder, const std::string& source_folder) {
  for (const char* name : {"generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
                           "special_tokens_map.json", "LICENSE"}) {
    const std::string from = source_folder + "/" + name;
    if (!fs::exists(from)) continue;
    SRLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(from));
    SRLM_RETURN_IF_ERROR(WriteFileAtomic(folder + "/" + name, content));
  }
  return OkStatus();
}

Status FillFolder(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                  const ParameterValues& values, const SaveOptions& options) {
  const std::vector<Shard> shards = PlanShards(table, options.max_shard_bytes);
  for (const Shard& shard : shards) {
    const auto parameters = std::span(table.parameters).subspan(shard.begin, shard.end - shard.begin);
    SRLM_RETURN_IF_ERROR(WriteSafetensors(folder + "/" + shard.name, parameters, values));
  }
  if (shards.size() > 1) SRLM_RETURN_IF_ERROR(WriteIndex(folder, table, shards));
  SRLM_RETURN_IF_ERROR(WriteConfig(folder, source_folder));
  SRLM_RETURN_IF_ERROR(CopyText(folder, source_folder));
  return options.job_json.empty() ? OkStatus() : WriteFileAtomic(folder + "/" + kJobFile, options.job_json);
}

Result<Manifest> AddManifest(const std::string& folder) {
  SRLM_ASSIGN_OR_RETURN(Manifest manifest, HashModelFolder(folder));
  SRLM_RETURN_IF_ERROR(WriteManifest(folder, manifest));
  return manifest;
}

}  // namespace

Status WriteSafetensors(const std::string& path, std::span<const Parameter> parameters, const ParameterValues& values) {
  SRLM_ASSIGN_OR_RETURN(NewFile file, NewFile::Create(path));
  const std::string header = HeaderOf(parameters);
  const uint64_t length = header.size();
  SRLM_RETURN_IF_ERROR(file.Write(std::as_bytes(std::span(&length, 1))));
  SRLM_RETURN_IF_ERROR(file.Write(std::as_bytes(std::span(header))));
  for (const Parameter& parameter : parameters) {
    SRLM_ASSIGN_OR_RETURN(const std::span<const float> value, values(parameter));
    SRLM_RETURN_IF_ERROR(file.Write(std::as_bytes(value)));
  }
  return file.Close();
}

Result<Manifest> SaveFolder(const std::string& folder, const std::function<Status(const std::string& beside)>& fill) {
  if (fs::exists(folder)) return Status(Code::kAlreadyExists, folder + ": exists already; choose another folder");
  const std::string beside = fmt::format("{}.tmp.{}", folder, getpid());
  std::error_code error;
  if (!fs::create_directory(beside, error)) {
    return FileError("make the folder", beside, error ? error.value() : EEXIST);
  }
  Failpoint("model.before_write");
  const Status filled = fill(beside);
  Result<Manifest> manifest = filled.ok() ? AddManifest(beside) : Result<Manifest>(filled);
  Failpoint("model.before_rename");
  if (manifest.ok() && rename(beside.c_str(), folder.c_str()) != 0) manifest = FileError("rename to", folder, errno);
  if (!manifest.ok()) {
    fs::remove_all(beside, error);
    return manifest.status();
  }
  Failpoint("model.after_rename");
  const std::string parent = fs::path(folder).parent_path().string();
  SRLM_RETURN_IF_ERROR(SyncPath(parent.empty() ? "." : parent));
  return manifest;
}

Result<Manifest> SaveModel(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                           const ParameterValues& values, const SaveOptions& options) {
  return SaveFolder(
      folder, [&](const std::string& beside) { return FillFolder(beside, source_folder, table, values, options); });
}

Result<Manifest> SaveModel(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                           std::span<const float> flat, const SaveOptions& options) {
  SRLM_CHECK(static_cast<int64_t>(flat.size()) == table.total_elements, "the flat buffer has another size");
  const ParameterValues values = [flat](const Parameter& parameter) -> Result<std::span<const float>> {
    return flat.subspan(static_cast<size_t>(parameter.offset), static_cast<size_t>(parameter.elements));
  };
  return SaveModel(folder, source_folder, table, values, options);
}

}  // namespace srlm::model
