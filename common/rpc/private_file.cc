#include "common/rpc/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/base/file.h"

namespace srlm::rpc {
namespace {

constexpr mode_t kFolderMode = 0700, kFileMode = 0600, kOthers = 0077, kPermissions = 0777;

Result<struct stat> Look(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return FileError("look at", path, errno);
  return info;
}

bool WriteAll(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

Status MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) == 0) {
    if (chmod(path.c_str(), kFolderMode) != 0) return FileError("set the permissions", path, errno);
  } else if (errno != EEXIST) {
    return FileError("make the folder", path, errno);
  }
  SRLM_RETURN_IF_ERROR(CheckOwner(path));
  return CheckPrivate(path);
}

Status WritePrivateFile(const std::string& path, std::string_view content) {
  const std::string beside = fmt::format("{}.tmp.{}", path, getpid());
  unlink(beside.c_str());  // of a process of our number that was killed: its mode is not ours to rely on
  const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (file < 0) return FileError("create", path, errno);
  const bool written = fchmod(file, kFileMode) == 0 && WriteAll(file, content) && fsync(file) == 0;
  int error = errno;
  const bool closed = close(file) == 0;
  if (written && !closed) error = errno;
  if (written && closed && rename(beside.c_str(), path.c_str()) == 0)
    return SyncPath(std::filesystem::path(path).parent_path().string());
  if (written && closed) error = errno;
  unlink(beside.c_str());
  return FileError("write", path, error);
}

Status CheckPrivate(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const auto info, Look(path));
  if ((info.st_mode & kOthers) == 0) return OkStatus();
  const bool folder = S_ISDIR(info.st_mode);
  return FailedPrecondition(
      fmt::format("{}: has mode {:04o}, so that others than its owner may have the keys; `chmod {:o} {}`, and where "
                  "they may have been read, delete the whole secrets folder: the next start makes new keys",
                  path, info.st_mode & kPermissions, folder ? kFolderMode : kFileMode, path));
}

Status CheckOwner(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const auto info, Look(path));
  if (info.st_uid == geteuid()) return OkStatus();
  return FailedPrecondition(
      fmt::format("{}: belongs to user {}, and this process is user {}; run it as that user, or "
                  "delete the whole secrets folder: the next start makes new keys",
                  path, info.st_uid, geteuid()));
}

}  // namespace srlm::rpc
