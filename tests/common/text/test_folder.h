// A folder that a test fills, gone with it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace srlm::text {

class TestFolder {
 public:
  TestFolder() {
    std::string name = std::filesystem::temp_directory_path() / "srlm-text-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, const std::string& content) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

/// The SmolLM2-135M-Instruct folder that ctest names.
inline std::string ModelFolder() {
  const char* folder = std::getenv("SRLM_MODEL");
  return folder == nullptr ? "SRLM_MODEL is not set" : folder;
}

/// This tree.
inline std::string SourceFolder() {
  const char* folder = std::getenv("SRLM_SOURCE");
  return folder == nullptr ? "SRLM_SOURCE is not set" : folder;
}

/// Links to files of the model folder, which the test need not copy.
inline void LinkModelFile(const TestFolder& folder, const std::string& name) {
  std::filesystem::create_symlink(ModelFolder() + "/" + name, folder.path() + "/" + name);
}

}  // namespace srlm::text
