#include "common/model/save.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
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

std::string ShardHeader(const ParameterTable& table, const Shard& shard) {
  ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  int64_t at = 0;
  for (size_t i = shard.begin; i < shard.end; ++i) {
    const Parameter& parameter = table.parameters[i];
    const int64_t end = at + parameter.elements * static_cast<int64_t>(sizeof(float));
    header[parameter.name] = {{"dtype", "F32"}, {"shape", parameter.shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data is aligned
  return text;
}

Status WriteAll(int fd, const std::string& path, const void* data, size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = write(fd, at, std::min<size_t>(bytes, size_t{1} << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("write", path, errno);
    at += count;
    bytes -= static_cast<size_t>(count);
  }
  return OkStatus();
}

Status WriteShard(const std::string& path, const ParameterTable& table, const Shard& shard,
                  std::span<const float> flat) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return FileError("create", path, errno);
  const std::string header = ShardHeader(table, shard);
  const uint64_t length = header.size();
  Status status = WriteAll(fd, path, &length, sizeof length);
  if (status.ok()) status = WriteAll(fd, path, header.data(), header.size());
  const size_t begin = static_cast<size_t>(table.parameters[shard.begin].offset);
  const Parameter& last = table.parameters[shard.end - 1];
  const size_t end = static_cast<size_t>(last.offset + last.elements);
  if (status.ok()) status = WriteAll(fd, path, flat.data() + begin, (end - begin) * sizeof(float));
  if (status.ok() && fsync(fd) != 0) status = FileError("sync", path, errno);
  if (close(fd) != 0 && status.ok()) status = FileError("close", path, errno);
  return status;
}

Status WriteIndex(const std::string& folder, const ParameterTable& table, const std::vector<Shard>& shards) {
  ordered_json index;
  index["metadata"] = {{"total_size", table.total_elements * static_cast<int64_t>(sizeof(float))}};
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

Result<Manifest> FillFolder(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                            std::span<const float> flat, const SaveOptions& options) {
  const std::vector<Shard> shards = PlanShards(table, options.max_shard_bytes);
  for (const Shard& shard : shards) {
    SRLM_RETURN_IF_ERROR(WriteShard(folder + "/" + shard.name, table, shard, flat));
  }
  if (shards.size() > 1) SRLM_RETURN_IF_ERROR(WriteIndex(folder, table, shards));
  SRLM_RETURN_IF_ERROR(WriteConfig(folder, source_folder));
  SRLM_RETURN_IF_ERROR(CopyText(folder, source_folder));
  if (!options.job_json.empty()) SRLM_RETURN_IF_ERROR(WriteFileAtomic(folder + "/" + kJobFile, options.job_json));
  SRLM_ASSIGN_OR_RETURN(Manifest manifest, HashModelFolder(folder));
  SRLM_RETURN_IF_ERROR(WriteManifest(folder, manifest));
  return manifest;
}

}  // namespace

Result<Manifest> SaveModel(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                           std::span<const float> flat, const SaveOptions& options) {
  SRLM_CHECK(static_cast<int64_t>(flat.size()) == table.total_elements, "the flat buffer has another size");
  if (fs::exists(folder)) return Status(Code::kAlreadyExists, folder + ": exists already; choose another folder");
  const std::string beside = fmt::format("{}.tmp.{}", folder, getpid());
  std::error_code error;
  if (!fs::create_directory(beside, error)) {
    return FileError("make the folder", beside, error ? error.value() : EEXIST);
  }
  Failpoint("model.before_write");
  auto manifest = FillFolder(beside, source_folder, table, flat, options);
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

}  // namespace srlm::model
