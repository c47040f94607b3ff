#include "coordinator/rounds/room.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/base/disk.h"
#include "common/base/json_file.h"
#include "common/base/manifest.h"

namespace srlm::rounds {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

uint64_t UpToMiB(uint64_t bytes) { return (bytes + kMiB - 1) / kMiB; }

namespace fs = std::filesystem;

uint64_t BytesIn(const fs::path& folder) {
  std::error_code error, gone;
  uint64_t bytes = 0;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
    if (entry->is_regular_file(gone)) bytes += entry->file_size(gone);
  return bytes;
}

}  // namespace

Room::Room(const config::CoordinatorConfig& config, std::string run_dir)
    : run_dir_(run_dir),
      min_free_bytes_(static_cast<uint64_t>(config.min_free_mib) * kMiB),
      folders_({run_dir, run_dir + "/models", run_dir + "/jobs", run_dir + "/logs"}) {}

Status Room::CheckFolder(const std::string& folder, uint64_t bytes, const RoomNeed& need) const {
  SRLM_ASSIGN_OR_RETURN(const DiskRoom room, LookAtDisk(folder));
  if (room.read_only)
    return ResourceExhausted(fmt::format(
        "{0} is read-only, by its mount or after an error of its disk (`dmesg` says so): make it writable again "
        "(`mount -o remount,rw {0}`)",
        room.mount));
  if (room.free_bytes < bytes)
    return ResourceExhausted(fmt::format(
        "no room on {}: {} MiB free, about {} MiB needed{}; free {} MiB there", room.mount, room.free_bytes / kMiB,
        UpToMiB(bytes), need.what.empty() ? "" : " for " + need.what, UpToMiB(bytes - room.free_bytes)));
  if (room.free_inodes < kMinFreeInodes)
    return ResourceExhausted(fmt::format("no room on {}: {} inodes free, {} needed; delete {} files there", room.mount,
                                         room.free_inodes, kMinFreeInodes, kMinFreeInodes - room.free_inodes));
  return OkStatus();
}

Status Room::Check(const RoomNeed& need) const {
  for (const std::string& folder : folders_)
    SRLM_RETURN_IF_ERROR(CheckFolder(folder, min_free_bytes_ + need.bytes, need));
  return OkStatus();
}

Status Room::CheckToGoOn(const RoomNeed& need) const {
  const uint64_t bytes = min_free_bytes_ + min_free_bytes_ / 8 + need.bytes;
  for (const std::string& folder : folders_) {
    SRLM_RETURN_IF_ERROR(CheckFolder(folder, bytes, need));
    std::error_code error;
    if (!fs::is_directory(folder, error)) continue;
    const Status tried = TryToWrite(folder);
    if (tried.ok()) continue;
    SRLM_ASSIGN_OR_RETURN(const DiskRoom room, LookAtDisk(folder));
    return ResourceExhausted(
        fmt::format("no room on {}: {}; free some there (your quota may be used up)", room.mount, tried.message()));
  }
  return OkStatus();
}

// Checkpoints of jobs that have made their model.
std::string Room::WhatMayGo() const {
  const fs::path run_dir = run_dir_;
  std::string text;
  std::error_code error;
  fs::directory_iterator job(run_dir / "jobs", error);
  for (; !error && job != fs::directory_iterator(); job.increment(error)) {
    const fs::path checkpoints = job->path() / "checkpoints";
    const auto json = ReadJsonObject((job->path() / "job.json").string());
    std::error_code gone;
    if (!json.ok() || !json->contains("output") || !json->at("output").is_string()) continue;
    const fs::path model = run_dir / "models" / json->at("output").get<std::string>();
    if (!fs::exists(checkpoints, gone) || !fs::exists(model / kManifestFile, gone)) continue;
    text += fmt::format("{} {} ({} MiB)", text.empty() ? "; of this run may go:" : ",",
                        fs::weakly_canonical(checkpoints, gone).string(), UpToMiB(BytesIn(checkpoints)));
  }
  return text;
}

}  // namespace srlm::rounds
