#include "trainer/job/gradient_reducer.h"

namespace srlm::trainer {

void GradientReducer::StartNext() {
  const ElementRange range = waiting_.front();
  waiting_.pop_front();
  const auto values = gradients_.subspan(static_cast<size_t>(range.begin), static_cast<size_t>(range.count));
  auto started = communicator_.StartAllReduceSum(parallel::BufferOf(values), "gradients");
  if (started.ok()) {
    under_way_ = std::move(started).value();
  } else {
    status_ = started.status();
  }
}

void GradientReducer::Advance() {
  while (status_.ok() && (under_way_ || !waiting_.empty())) {
    if (!under_way_) StartNext();
    if (!under_way_) return;
    const auto done = under_way_->Poll();
    if (!done.ok()) status_ = done.status();
    if (!done.ok() || !*done) return;
    status_ = under_way_->Wait();
    under_way_.reset();
  }
}

void GradientReducer::Add(ElementRange range) {
  if (communicator_.size() == 1) return;
  waiting_.push_back(range);
  Advance();
}

Status GradientReducer::Finish() {
  while (status_.ok() && (under_way_ || !waiting_.empty())) {
    if (!under_way_) StartNext();
    if (!under_way_) break;
    status_ = under_way_->Wait();
    under_way_.reset();
  }
  return status_;
}

}  // namespace srlm::trainer
