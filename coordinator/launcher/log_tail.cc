#include "coordinator/launcher/log_tail.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace srlm::launcher {
namespace {
constexpr std::streamoff kMostBytes = 64 << 10;
}

std::vector<std::string> LastLines(const std::string& path, size_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  file.seekg(0, std::ios::end);
  const std::streamoff size = file.tellg();
  const std::streamoff begin = std::max<std::streamoff>(0, size - kMostBytes);
  file.seekg(begin);
  std::vector<std::string> lines;
  std::string line;
  if (begin > 0) std::getline(file, line);  // the rest of a line that began before
  while (std::getline(file, line)) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) lines.push_back(line);
  }
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

std::vector<std::string> TailOfFolder(const std::string& folder, size_t lines_a_file) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  std::vector<std::string> tail;
  for (const std::string& path : paths) {
    const std::vector<std::string> lines = LastLines(path, lines_a_file);
    if (lines.empty()) continue;
    tail.push_back(path + ":");
    for (const std::string& line : lines) tail.push_back("  " + line);
  }
  return tail;
}

}  // namespace srlm::launcher
