// Which SFT rows a step of DPO trains on beside its pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/batches/plan.h"

namespace srlm::trainer {

struct MixOptions {
  int64_t rows = 0;   // SFT rows there are; 0: none is mixed in
  double share = 0;   // rows for each pair
  uint64_t seed = 1;  // of the rows' order, which is a new one each time all have been taken
  bool shuffle = true;
};

/// Takes rows one after the other: when a job has taken p pairs, it has taken round(share x p) rows. So a share that is
/// less than a row a step is kept over the steps. A function of both orders alone: any step can be asked for at any
/// time (resume).
class MixOrder {
 public:
  MixOrder(const MixOptions& options, const DataOrder& pairs);
  /// The rows of `step`, in order, counted from 0; one may be there twice when the step takes more than there are.
  std::vector<size_t> Step(int64_t step);

 private:
  int64_t TakenBefore(int64_t step) const;

  MixOptions options_;
  DataOrder pairs_;
  int64_t epoch_ = -1;
  std::vector<size_t> of_epoch_;
};

}  // namespace srlm::trainer
