#include "coordinator/schedule/item_times.h"

#include <algorithm>
#include <vector>

namespace srlm::schedule {
namespace {

constexpr size_t kKept = 200;
constexpr size_t kEnough = 5;  // a wrong guess costs an idle worker some work, no result

}  // namespace

void ItemTimes::Add(v1::Purpose purpose, double seconds) {
  std::deque<double>& times = seconds_[purpose];
  times.push_back(seconds);
  if (times.size() > kKept) times.pop_front();
}

std::optional<double> ItemTimes::Median(v1::Purpose purpose) const {
  const auto found = seconds_.find(purpose);
  if (found == seconds_.end() || found->second.size() < kEnough) return std::nullopt;
  std::vector<double> times(found->second.begin(), found->second.end());
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

}  // namespace srlm::schedule
