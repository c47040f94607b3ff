// Folders that the text tests read.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/temporary_folder.h"

namespace srlm::text {

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
inline void LinkModelFile(const TemporaryFolder& folder, const std::string& name) {
  std::filesystem::create_symlink(ModelFolder() + "/" + name, folder.path() + "/" + name);
}

}  // namespace srlm::text
