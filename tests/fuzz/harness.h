// What the fuzz targets share: files for readers that want a path, and inputs of several parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace srlm::fuzz {

inline std::string_view Text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

/// The parts of an input that lines of `=====` divide; there are always `count`, the last ones empty if need be.
std::vector<std::string> Parts(std::string_view input, size_t count);

/// A file in memory. Its path works in this process while it lives.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Replaces its content; returns the path.
  const std::string& Write(std::string_view content);

 private:
  int file_;
  std::string path_;
};

/// A folder of this process, empty at first and removed at its end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& name, std::string_view content) const;
  void Remove(const std::string& name) const;

 private:
  std::string path_;
};

/// A folder of tests/reference/models in this tree.
std::string ReferenceModel(const std::string& name);

}  // namespace srlm::fuzz
