#include "trainer/batches/mix_order.h"

#include <cmath>

namespace srlm::trainer {

MixOrder::MixOrder(const MixOptions& options, const DataOrder& pairs) : options_(options), pairs_(pairs) {}

int64_t MixOrder::TakenBefore(int64_t step) const {
  return std::llround(options_.share * static_cast<double>(SamplesBefore(pairs_, step)));
}

std::vector<size_t> MixOrder::Step(int64_t step) {
  std::vector<size_t> rows;
  if (options_.rows == 0) return rows;
  const int64_t end = TakenBefore(step + 1);
  for (int64_t taken = TakenBefore(step); taken < end; ++taken) {
    if (const int64_t epoch = taken / options_.rows; epoch != epoch_) {
      of_epoch_ = OrderOfEpoch("mix order", options_.rows, options_.shuffle, options_.seed, epoch);
      epoch_ = epoch;
    }
    rows.push_back(of_epoch_[static_cast<size_t>(taken % options_.rows)]);
  }
  return rows;
}

}  // namespace srlm::trainer
