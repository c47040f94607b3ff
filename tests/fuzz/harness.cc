#include "tests/fuzz/harness.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/check.h"

namespace srlm::fuzz {

std::vector<std::string> Parts(std::string_view input, size_t count) {
  constexpr std::string_view kDivider = "\n=====\n";
  std::vector<std::string> parts;
  while (parts.size() + 1 < count) {
    const size_t at = std::min(input.find(kDivider), input.size());
    parts.emplace_back(input.substr(0, at));
    input.remove_prefix(std::min(at + kDivider.size(), input.size()));
  }
  parts.emplace_back(input);
  return parts;
}

MemoryFile::MemoryFile() : file_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_)) {
  SRLM_CHECK(file_ >= 0, "memfd_create failed");
}

MemoryFile::~MemoryFile() { close(file_); }

const std::string& MemoryFile::Write(std::string_view content) {
  SRLM_CHECK(ftruncate(file_, 0) == 0, path_);
  SRLM_CHECK(pwrite(file_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()), path_);
  return path_;
}

Folder::Folder() {
  path_ = (std::filesystem::temp_directory_path() / "srlm-fuzz-XXXXXX").string();
  SRLM_CHECK(mkdtemp(path_.data()) != nullptr, path_);
}

Folder::~Folder() {
  std::error_code ignored;  // whoever started us removes what is left
  std::filesystem::remove_all(path_, ignored);
}

void Folder::Write(const std::string& name, std::string_view content) const {
  std::ofstream file(path_ + "/" + name, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  SRLM_CHECK(file.flush().good(), name);
}

void Folder::Remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }

std::string ReferenceModel(const std::string& name) {
  return std::string(SRLM_SOURCE_FOLDER) + "/tests/reference/models/" + name;
}

}  // namespace srlm::fuzz
