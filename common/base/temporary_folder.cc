#include "common/base/temporary_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "common/base/file.h"

namespace srlm {

Result<TemporaryFolder> TemporaryFolder::Make(const std::string& name) {
  const char* const where = std::getenv("TMPDIR");
  std::string path = std::string(where == nullptr || *where == '\0' ? "/tmp" : where) + "/" + name + "-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return FileError("make the folder", path, errno);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

}  // namespace srlm
