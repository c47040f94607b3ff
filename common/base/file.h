// Files that are whole or not there: written beside, synced, renamed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

/// The whole file. NotFound with the path and the system's reason.
Result<std::string> ReadFile(const std::string& path);

/// Replaces `path` by `content`: a temporary file in the same folder, fsync, rename, fsync of the folder. The folder
/// must exist. ResourceExhausted when the disk has no room (IsNoRoom), InvalidArgument when it cannot be written for
/// another reason; nothing half-written stays.
Status WriteFileAtomic(const std::string& path, std::string_view content);

/// A file that is written piece by piece. What is not closed is torn; make it in a folder that nobody reads yet.
class NewFile {
 public:
  /// The file must not exist.
  static Result<NewFile> Create(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();
  Status Write(std::span<const std::byte> bytes);
  /// Syncs and closes.
  Status Close();

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

/// fsync of a file or of a folder's entries.
Status SyncPath(const std::string& path);

/// Makes a folder and its parents.
Status MakeFolders(const std::string& path);

/// Fails unless `path` could be created or replaced as a file: its folder exists and is writable.
Status CheckWritable(const std::string& path);

/// Whether the errno value `error` says that a disk takes no more: no space or inodes, a used-up quota, a file system
/// that is read-only. Making room mends it, and the same write can be tried again.
bool IsNoRoom(int error);

/// A Status of the errno value `error` for `path`: the operation, the path, the system's reason. NotFound,
/// ResourceExhausted (IsNoRoom) or InvalidArgument.
Status FileError(std::string_view operation, const std::string& path, int error);

/// A file's bytes, mapped read-only; pages are read when touched.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  /// Tells the system that the pages of [offset, offset + count) are no longer needed in memory.
  void Release(size_t offset, size_t count) const;

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace srlm
