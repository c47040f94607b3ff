#include "common/base/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/base/file.h"

namespace srlm {
namespace {

namespace fs = std::filesystem;

constexpr size_t kProbeBytes = 64 << 10;

fs::path NearestThatIsThere(const std::string& path) {
  std::error_code error;
  fs::path at = fs::absolute(path, error).lexically_normal();
  while (!fs::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  const fs::path real = fs::canonical(at, error);
  return error ? at : real;
}

/// The highest folder above `path` that is on the same device.
fs::path MountOf(const fs::path& path) {
  struct stat info{}, above{};
  fs::path mount = path;
  if (stat(path.c_str(), &info) != 0) return path;
  while (mount.has_relative_path() && stat(mount.parent_path().c_str(), &above) == 0 && above.st_dev == info.st_dev)
    mount = mount.parent_path();
  return mount;
}

}  // namespace

Result<DiskRoom> LookAtDisk(const std::string& path) {
  const fs::path there = NearestThatIsThere(path);
  struct statvfs info{};
  if (statvfs(there.c_str(), &info) != 0) return FileError("look at the disk", there.string(), errno);
  DiskRoom room;
  room.mount = MountOf(there).string();
  room.free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (info.f_files > 0) room.free_inodes = info.f_favail;
  room.read_only = (info.f_flag & ST_RDONLY) != 0;
  return room;
}

Status TryToWrite(const std::string& folder) {
  const std::string path = fmt::format("{}/.room.tmp.{}", folder, getpid());
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return FileError("create", path, errno);
  unlink(path.c_str());  // at once, so that nothing stays whatever happens
  const std::string content(kProbeBytes, '.');
  Status status;
  for (size_t done = 0; done < content.size() && status.ok();) {
    const ssize_t count = write(file, content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR) status = FileError("write", path, errno);
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (status.ok() && fsync(file) != 0) status = FileError("sync", path, errno);
  if (close(file) != 0 && status.ok()) status = FileError("close", path, errno);
  return status;
}

}  // namespace srlm
