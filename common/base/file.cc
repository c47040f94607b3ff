#include "common/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/failpoint.h"

namespace srlm {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

bool IsNoRoom(int error) { return error == ENOSPC || error == EDQUOT || error == EROFS; }

Status FileError(std::string_view operation, const std::string& path, int error) {
  const Code code = error == ENOENT   ? Code::kNotFound
                    : IsNoRoom(error) ? Code::kResourceExhausted
                    : error == ENFILE ? Code::kUnavailable
                                      : Code::kInvalidArgument;
  return {code, fmt::format("{}: cannot {}: {}", path, operation, std::strerror(error))};
}

Result<std::string> ReadFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError("open", path, errno);
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("read", path, errno);
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
  }
}

Status WriteFileAtomic(const std::string& path, std::string_view content) {
  const std::string beside = fmt::format("{}.tmp.{}", path, getpid());
  const auto fail = [&](std::string_view operation) {
    const int error = errno;
    unlink(beside.c_str());
    return FileError(operation, path, error);
  };
  {
    const Descriptor file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return fail("create");
    while (!content.empty()) {
      const ssize_t count = write(file.get(), content.data(), content.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail("write");
      content.remove_prefix(static_cast<size_t>(count));
    }
    if (fsync(file.get()) != 0) return fail("sync");
  }
  const std::string name = std::filesystem::path(path).filename().string();
  Failpoint("file.before_rename", name);
  if (rename(beside.c_str(), path.c_str()) != 0) return fail("rename");
  Failpoint("file.after_rename", name);
  return SyncPath(FolderOf(path));
}

Result<NewFile> NewFile::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return FileError("create", path, errno);
  return NewFile(path, fd);
}

NewFile::NewFile(NewFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

NewFile::~NewFile() {
  if (fd_ >= 0) close(fd_);
}

Status NewFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd_, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("write", path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return OkStatus();
}

Status NewFile::Close() {
  if (fsync(fd_) != 0) return FileError("sync", path_, errno);
  if (close(std::exchange(fd_, -1)) != 0) return FileError("close", path_, errno);
  return OkStatus();
}

Status SyncPath(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError("open", path, errno);
  if (fsync(file.get()) != 0) return FileError("sync", path, errno);
  return OkStatus();
}

Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return FileError("make the folder", path, error.value());
  return OkStatus();
}

Status CheckWritable(const std::string& path) {
  const std::string folder = FolderOf(path);
  struct stat info{};
  if (stat(folder.c_str(), &info) != 0) return FileError("write, its folder is missing", path, errno);
  if (!S_ISDIR(info.st_mode)) return FileError("write, its parent is not a folder", path, ENOTDIR);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return FileError("write", path, errno);
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return FileError("write", path, EISDIR);
  if (access(path.c_str(), F_OK) == 0 && access(path.c_str(), W_OK) != 0) return FileError("write", path, errno);
  return OkStatus();
}

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError("open", path, errno);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return FileError("stat", path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + ": not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return FileError("map", path, errno);
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::Release(size_t offset, size_t count) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t begin = (offset + page - 1) / page * page;
  const size_t end = (offset + count) / page * page;
  if (begin < end) madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace srlm
