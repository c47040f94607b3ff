// Sums over ranks that do not depend on how much is summed at once.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/parallel/communicator.h"

namespace srlm::parallel {

/// Sums in the order of ranks, 0 + 1 + 2 + ..., for every element and every length, so that a row of a batch has the
/// same bits in any batch. An all-reduce promises less: MPI takes another order for another length. Each rank sends and
/// receives 2 (size - 1) / size of the values, as in a ring; of few values, all others'.
class OrderedSum {
 public:
  /// `communicator` outlives it.
  explicit OrderedSum(Communicator& communicator) : communicator_(communicator) {}

  /// In place, on every rank; all bring the same length. Errors are the communicator's.
  Status Sum(std::span<float> values, std::string_view name);

 private:
  Status SumFew(std::span<float> values, std::string_view name);
  Status SumMany(std::span<float> values, std::string_view name);

  Communicator& communicator_;
  std::vector<float> all_;  // every rank's values, or block
};

}  // namespace srlm::parallel
