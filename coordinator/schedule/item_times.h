// How long items take from their lease to their result, by purpose: what tells a straggler.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "srlm/v1/work.pb.h"

namespace srlm::schedule {

class ItemTimes {
 public:
  void Add(v1::Purpose purpose, double seconds);
  /// Median of the last 200 items of this purpose; none before 5 of them.
  std::optional<double> Median(v1::Purpose purpose) const;

 private:
  std::map<v1::Purpose, std::deque<double>> seconds_;
};

}  // namespace srlm::schedule
