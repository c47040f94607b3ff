#include "trainer/parameters/collectives.h"

namespace srlm::trainer {

Result<int64_t> Collectives::ReduceScatterSum(parallel::Buffer send, parallel::Buffer receive, const std::string& name,
                                              std::function<void()> then) {
  SRLM_RETURN_IF_ERROR(Poll());
  return Started(communicator_.StartReduceScatterSum(send, receive, name), "reduce-scatter " + name, send,
                 std::move(then));
}

Result<int64_t> Collectives::AllGather(parallel::Buffer send, parallel::Buffer receive, const std::string& name) {
  SRLM_RETURN_IF_ERROR(Poll());
  return Started(communicator_.StartAllGather(send, receive, name), "all-gather " + name, receive, nullptr);
}

Result<int64_t> Collectives::Started(Result<std::unique_ptr<parallel::Pending>> pending, const std::string& name,
                                     const parallel::Buffer& whole, std::function<void()> then) {
  if (!pending.ok()) return status_ = pending.status();
  const auto bytes = static_cast<int64_t>(whole.bytes()) / communicator_.size() * (communicator_.size() - 1);
  ++traffic_.collectives;
  traffic_.bytes += bytes;
  under_way_.push_back({std::move(pending).value(), std::move(then), name, bytes, Clock::now()});
  return started_++;
}

Status Collectives::EndFirst() {
  UnderWay& operation = under_way_.front();
  status_ = operation.pending->Wait();
  if (!status_.ok()) return status_;
  if (trace_ != nullptr) trace_->Communicated(operation.name, operation.begin, operation.bytes);
  if (operation.then) operation.then();
  under_way_.pop_front();
  ++ended_;
  return OkStatus();
}

Status Collectives::Poll() {
  while (status_.ok() && !under_way_.empty()) {
    const auto done = under_way_.front().pending->Poll();
    if (!done.ok()) return status_ = done.status();
    if (!*done) return OkStatus();
    SRLM_RETURN_IF_ERROR(EndFirst());
  }
  return status_;
}

Status Collectives::WaitFor(int64_t number) {
  SRLM_RETURN_IF_ERROR(Poll());
  if (ended_ > number) return OkStatus();
  const Clock::time_point begin = Clock::now();
  const std::string name = under_way_[static_cast<size_t>(number - ended_)].name;
  while (ended_ <= number) SRLM_RETURN_IF_ERROR(EndFirst());
  Waited(name, begin);
  return OkStatus();
}

void Collectives::Waited(const std::string& what, Clock::time_point begin) {
  traffic_.waited_s += SecondsSince(begin);
  if (trace_ != nullptr) trace_->Waited(what, begin);
}

}  // namespace srlm::trainer
