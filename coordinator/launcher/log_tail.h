// The end of a log, for a message about a failure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace srlm::launcher {

/// The last `count` lines of a file that have something in them, at most 64 KiB of it read; empty when it cannot
/// be read.
std::vector<std::string> LastLines(const std::string& path, size_t count);

/// The last lines of every log in a launch's folder, in order of the files' names; each file's lines follow its
/// path. Files that are empty are left out.
std::vector<std::string> TailOfFolder(const std::string& folder, size_t lines_a_file);

}  // namespace srlm::launcher
