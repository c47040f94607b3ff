// The sum of all ranks' gradients, begun while backward still runs.
#pragma once

#include <deque>
#include <memory>
#include <span>

#include "common/base/status.h"
#include "common/parallel/communicator.h"
#include "trainer/network/network.h"

namespace srlm::trainer {

/// Reduces ranges of a flat buffer one after the other, in the order in which they are added: the same on every rank.
class GradientReducer {
 public:
  GradientReducer(parallel::Communicator& communicator, std::span<float> gradients)
      : communicator_(communicator), gradients_(gradients) {}

  /// The range is final here: its sum may begin. Lets the sums under way go on, without waiting.
  void Add(ElementRange range);
  /// Waits until every range added is the sum over all ranks.
  Status Finish();

 private:
  void Advance();
  void StartNext();

  parallel::Communicator& communicator_;
  std::span<float> gradients_;
  std::deque<ElementRange> waiting_;
  std::unique_ptr<parallel::Pending> under_way_;
  Status status_;
};

}  // namespace srlm::trainer
