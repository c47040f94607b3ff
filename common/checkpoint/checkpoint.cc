#include "common/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/check.h"
#include "common/base/failpoint.h"
#include "common/base/hash.h"
#include "common/checkpoint/manifest.h"

namespace srlm::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "step-";
constexpr char kBeside[] = ".tmp-";  // being written
constexpr char kOld[] = ".old-";     // the step's earlier one, while the new one takes its name

std::string NameOf(int64_t step) { return fmt::format("{}{:08}", kPrefix, step); }

/// Names in `folder` that begin with `prefix`, sorted; none when the folder is missing.
Result<std::vector<std::string>> NamesIn(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix)) names.push_back(name);
  }
  if (error) return FileError("list", folder, error.value());
  std::ranges::sort(names);  // steps have a fixed width
  return names;
}

/// Lets the system drop the file's pages, so that reading it back reads the disk.
void DropFromCache(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

Status CheckFile(const std::string& checkpoint, const FileEntry& file) {
  const std::string path = checkpoint + "/" + file.name;
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) return DataLoss(fmt::format("{}: {}", path, error.message()));
  if (bytes != file.bytes) return DataLoss(fmt::format("{}: {} bytes expected, {} there", path, file.bytes, bytes));
  SRLM_ASSIGN_OR_RETURN(const std::string sha256, Sha256File(path));
  if (sha256 == file.sha256) return OkStatus();
  return DataLoss(path + ": its SHA-256 is not the one that was written");
}

Result<FileEntry> WritePart(const std::string& folder, const Part& part) {
  const std::string path = folder + "/" + part.file;
  SRLM_ASSIGN_OR_RETURN(NewFile file, NewFile::Create(path));
  FileEntry entry{part.file, 0, ""};
  Sha256Stream hash;
  for (const std::span<const std::byte> stretch : part.stretches) {
    SRLM_RETURN_IF_ERROR(file.Write(stretch));
    hash.Add({reinterpret_cast<const char*>(stretch.data()), stretch.size()});
    entry.bytes += stretch.size();
  }
  SRLM_RETURN_IF_ERROR(file.Close());
  entry.sha256 = hash.Finish();
  DropFromCache(path);
  return entry;
}

template <typename Any>
std::string DifferenceOf(std::string_view name, const Any& there, const Any& now) {
  return there == now ? "" : fmt::format("{} is {} there and {} now", name, there, now);
}

}  // namespace

Part PartOf(const std::string& name, std::span<const float> values) { return {name + ".f32", {std::as_bytes(values)}}; }
Part PartOf(const std::string& name, std::span<const double> values) {
  return {name + ".f64", {std::as_bytes(values)}};
}

std::string Difference(const JobIdentity& there, const JobIdentity& now) {
  std::string different = DifferenceOf("the model's id", there.model_id, now.model_id);
  if (different.empty() && there.data_sha256 != now.data_sha256) different = "the data is other data";
  std::map<std::string, std::string> all = there.settings;
  all.insert(now.settings.begin(), now.settings.end());
  const auto value = [](const JobIdentity& of, const std::string& name) {
    const auto found = of.settings.find(name);
    return found == of.settings.end() ? "unknown" : found->second;
  };
  for (const auto& [name, unused] : all) {
    if (different.empty()) different = DifferenceOf(name, value(there, name), value(now, name));
  }
  return different;
}

CheckpointFolder::CheckpointFolder(std::string folder, int keep)
    : folder_(std::move(folder)), keep_(std::max(keep, 1)) {}

Result<std::vector<std::string>> CheckpointFolder::List() const {
  SRLM_ASSIGN_OR_RETURN(std::vector<std::string> names, NamesIn(folder_, kPrefix));
  for (std::string& name : names) name.insert(0, folder_ + "/");
  return names;
}

Status CheckpointFolder::TidyUp() const {
  std::error_code error;
  SRLM_ASSIGN_OR_RETURN(const auto unfinished, NamesIn(folder_, kBeside));
  for (const std::string& name : unfinished) fs::remove_all(folder_ + "/" + name, error);
  SRLM_ASSIGN_OR_RETURN(const auto replaced, NamesIn(folder_, kOld));
  for (const std::string& name : replaced) {
    const std::string from = folder_ + "/" + name, to = folder_ + "/" + name.substr(std::strlen(kOld));
    if (fs::exists(to, error)) {
      fs::remove_all(from, error);
    } else if (rename(from.c_str(), to.c_str()) != 0) {
      return FileError("rename to", to, errno);
    }
  }
  return OkStatus();
}

// A folder cannot be renamed over one that has files: the old one gets another name first, under which TidyUp finds it.
Status CheckpointFolder::Install(const std::string& beside, const std::string& path) const {
  std::error_code error;
  const std::string old = folder_ + "/" + kOld + fs::path(path).filename().string();
  const bool replaces = fs::exists(path, error);
  Failpoint("checkpoint.before_rename");
  if (replaces && rename(path.c_str(), old.c_str()) != 0) return FileError("rename", path, errno);
  if (rename(beside.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    if (replaces) (void)rename(old.c_str(), path.c_str());
    return FileError("rename to", path, reason);
  }
  SRLM_RETURN_IF_ERROR(SyncPath(folder_));
  if (replaces) fs::remove_all(old, error);
  return OkStatus();
}

Status CheckpointFolder::Prune(const std::string& newest) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<std::string> all, List());
  std::error_code error;
  int kept = 0;
  const int keep = forget_others_ ? 1 : keep_;
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    const bool known = std::ranges::find(whole_, *path) != whole_.end();
    if (*path == newest || (*path < newest && kept > 0 && kept < keep && (known || Verify(*path).ok()))) {
      ++kept;
      if (!known) whole_.push_back(*path);
      continue;
    }
    fs::remove_all(*path, error);
    std::erase(whole_, *path);
  }
  forget_others_ = false;
  return OkStatus();
}

std::string CheckpointFolder::Beside(int64_t step) const {
  return fmt::format("{}/{}{}", folder_, kBeside, NameOf(step));
}

Status CheckpointFolder::Begin(int64_t step) {
  std::error_code error;
  if (!fs::is_directory(folder_, error) && mkdir(folder_.c_str(), 0755) != 0) {
    return FileError("make the folder", folder_, errno);
  }
  SRLM_RETURN_IF_ERROR(TidyUp());
  return MakeFolders(Beside(step));
}

void CheckpointFolder::Abandon(int64_t step) const {
  std::error_code error;
  fs::remove_all(Beside(step), error);
}

Result<std::string> CheckpointFolder::Finish(const TrainingState& state, std::vector<FileEntry> files) {
  const std::string path = folder_ + "/" + NameOf(state.step), beside = Beside(state.step);
  Status status = WriteFileAtomic(beside + "/" + kManifestFile, ManifestText({state, std::move(files)}));
  if (status.ok()) status = ReadManifest(beside).status();
  if (status.ok()) status = SyncPath(beside);
  if (status.ok()) status = Install(beside, path);
  if (!status.ok()) {
    Abandon(state.step);
    return status;
  }
  whole_.push_back(path);
  Failpoint("checkpoint.before_delete");
  SRLM_RETURN_IF_ERROR(Prune(path));
  Failpoint("checkpoint.after_delete");
  return path;
}

Result<std::string> CheckpointFolder::Save(const TrainingState& state, std::span<const Part> parts) {
  SRLM_RETURN_IF_ERROR(Begin(state.step));
  auto files = WriteParts(Beside(state.step), parts);
  if (!files.ok()) {
    Abandon(state.step);
    return files.status();
  }
  return Finish(state, std::move(files).value());
}

Result<Newest> CheckpointFolder::FindNewest(const std::function<Status(const std::string& checkpoint)>& verify) {
  SRLM_RETURN_IF_ERROR(TidyUp());
  SRLM_ASSIGN_OR_RETURN(const std::vector<std::string> all, List());
  Newest newest;
  for (auto path = all.rbegin(); path != all.rend() && newest.path.empty(); ++path) {
    if (const Status whole = verify ? verify(*path) : Verify(*path); whole.ok()) {
      newest.path = *path;
      whole_.push_back(*path);
    } else {
      newest.refused.push_back(whole.message());
    }
  }
  return newest;
}

Result<std::vector<FileEntry>> WriteParts(const std::string& beside, std::span<const Part> parts) {
  Failpoint("checkpoint.before_write");
  std::vector<FileEntry> files;
  for (const Part& part : parts) {
    SRLM_ASSIGN_OR_RETURN(FileEntry entry, WritePart(beside, part));
    files.push_back(std::move(entry));
  }
  Failpoint("checkpoint.before_verify");
  for (const FileEntry& file : files) SRLM_RETURN_IF_ERROR(CheckFile(beside, file));
  return files;
}

Status Verify(const std::string& checkpoint, int rank, int ranks) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(checkpoint));
  for (size_t i = static_cast<size_t>(rank); i < manifest.files.size(); i += static_cast<size_t>(ranks)) {
    SRLM_RETURN_IF_ERROR(CheckFile(checkpoint, manifest.files[i]));
  }
  return OkStatus();
}

Result<TrainingState> ReadState(const std::string& checkpoint) {
  SRLM_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(checkpoint));
  return std::move(manifest.state);
}

Result<PartFile> PartFile::Open(const std::string& checkpoint, const std::string& file, size_t bytes) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(checkpoint));
  const auto entry = std::ranges::find(manifest.files, file, &FileEntry::name);
  if (entry == manifest.files.end()) return InvalidArgument(checkpoint + ": has no part '" + file + "'");
  if (entry->bytes != bytes) {
    return InvalidArgument(
        fmt::format("{}/{}: {} bytes, {} are wanted: it is another model's", checkpoint, file, entry->bytes, bytes));
  }
  const std::string path = checkpoint + "/" + file;
  SRLM_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  if (mapped.size() != bytes) return DataLoss(path + ": changed its size");
  return PartFile(std::move(mapped));
}

void PartFile::Read(size_t offset, std::span<std::byte> out) const {
  SRLM_CHECK(offset + out.size() <= file_.size(), "beyond a checkpoint's file");
  if (!out.empty()) std::memcpy(out.data(), file_.data() + offset, out.size());
}

}  // namespace srlm::checkpoint
