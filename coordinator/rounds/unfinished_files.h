// What a program that was killed in the middle of writing leaves in a run's folder: files are written beside, under a
// name that says so, and renamed.
#pragma once

#include <string>
#include <vector>

namespace srlm::rounds {

/// Files and folders of a run that somebody began to write and that have not got their name; relative to the run's
/// folder, sorted. A run that is being worked on may have some at any moment.
std::vector<std::string> FindUnfinishedFiles(const std::string& run_dir);

/// Removes those that only a coordinator writes, except those of a process of this host that lives. For the run's
/// owner, at its start. What workers and trainers leave is the business of those who follow them.
void RemoveUnfinishedFiles(const std::string& run_dir);

}  // namespace srlm::rounds
