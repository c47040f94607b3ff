// The models that a training job saves on its way: after which steps, and under which names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace srlm {

inline constexpr std::string_view kStepMark = ".step-";

/// What a job that makes `output` (a model's name or folder) calls its model after `step` steps: `M2.step-200`.
inline std::string SavedName(const std::string& output, int64_t step) {
  return output + std::string(kStepMark) + std::to_string(step);
}

/// The model whose job saved one of this name: `M2` of `M2.step-200`. Empty: it is no such name.
inline std::string OutputOf(const std::string& name) {
  const size_t mark = name.find(kStepMark);
  return mark == std::string::npos ? "" : name.substr(0, mark);
}

/// After which of `total` steps a job saves its model: each `every`-th one (at least 1), and the last.
inline std::vector<int64_t> SavedSteps(int64_t every, int64_t total) {
  std::vector<int64_t> steps;
  for (int64_t step = every; step < total; step += every) steps.push_back(step);
  steps.push_back(total);
  return steps;
}

}  // namespace srlm
