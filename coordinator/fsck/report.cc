#include "coordinator/fsck/report.h"

#include <algorithm>
#include <utility>

namespace srlm::fsck {

void Report::Add(std::string where, std::string what, std::string remedy) {
  AddTo(checks_.back().name, std::move(where), std::move(what), std::move(remedy));
}

void Report::AddTo(const std::string& check, std::string where, std::string what, std::string remedy) {
  const auto of = std::ranges::find(checks_, check, &Check::name);
  if (of == checks_.end()) return;
  if (++of->findings > kMostFindings) return;
  findings_.push_back({check, std::move(where), std::move(what), std::move(remedy)});
}

void Report::CountedIn(const std::string& check, std::string text) {
  const auto of = std::ranges::find(checks_, check, &Check::name);
  if (of != checks_.end()) of->counted = std::move(text);
}

int64_t Report::found() const {
  int64_t found = 0;
  for (const Check& check : checks_) found += check.findings;
  return found;
}

int64_t Report::FoundIn(const std::string& check) const {
  const auto of = std::ranges::find(checks_, check, &Check::name);
  return of == checks_.end() ? 0 : of->findings;
}

}  // namespace srlm::fsck
