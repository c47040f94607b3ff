#include "common/parallel/rank_board.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/process.h"

namespace srlm::parallel {
namespace {

constexpr double kTellOfStandstillSeconds = 5;

/// mpirun continues a stopped rank just before it kills all of them: it is the one that was missed.
std::string Standstill(const RankState& state) {
  return fmt::format("{} stood still for {:.1f} s until just now: it was stopped, or its machine was; it is {}",
                     NameOf(state), state.stood_still_s, Describe(state));
}

std::string Silence(const RankState& state) {
  return fmt::format(
      "{} has not been heard for {:.1f} s: it is stopped, or its host is gone or cut off; it was last heard {}",
      NameOf(state), state.age_s, Describe(state));
}

}  // namespace

RankBoard::RankBoard(int rank, int size) : rank_(rank), size_(size), known_(static_cast<size_t>(size)) {
  own_.rank = rank;
  own_.host = HostName();
  own_.pid = getpid();
}

void RankBoard::Set(Doing doing, std::string_view what) {
  own_.doing = doing;
  own_.what = what;
  since_ = Clock::now();
  ++changes_;
}

void RankBoard::SetPhase(std::string_view phase) {
  const std::lock_guard lock(mutex_);
  own_.phase = phase;
}

int64_t RankBoard::BeginOperation(std::string_view what) {
  const std::lock_guard lock(mutex_);
  operation_ = what;
  if (own_.doing == Doing::kComputing) own_.what = what;
  return ++own_.operations;
}

void RankBoard::BeginWait(std::string_view what) {
  const std::lock_guard lock(mutex_);
  Set(Doing::kWaiting, what);
}

void RankBoard::BeginAlone(std::string_view what) {
  const std::lock_guard lock(mutex_);
  Set(Doing::kAlone, what);
}

void RankBoard::Compute() {
  const std::lock_guard lock(mutex_);
  Set(Doing::kComputing, operation_);
}

void RankBoard::TellNotice(std::function<bool()> came) {
  const std::lock_guard lock(mutex_);
  notice_came_ = std::move(came);
}

bool RankBoard::AnotherWasNoticed() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(known_, [](const auto& known) { return known && known->state.noticed; });
}

void RankBoard::NoteStandstill(double seconds) {
  const std::lock_guard lock(mutex_);
  own_.stood_still_s = seconds;
  ran_again_ = Clock::now();
  ++changes_;
}

RankState RankBoard::Own() const {
  const std::lock_guard lock(mutex_);
  RankState state = own_;
  state.for_s = SecondsSince(since_);
  state.noticed = notice_came_ && notice_came_();
  if (SecondsSince(ran_again_) > kTellOfStandstillSeconds) state.stood_still_s = 0;
  return state;
}

uint64_t RankBoard::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void RankBoard::Hear(RankState state) {
  if (state.rank == rank_) return;
  const std::lock_guard lock(mutex_);
  const Clock::time_point heard =
      Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(state.age_s));
  auto& known = known_[static_cast<size_t>(state.rank)];
  if (known && heard <= known->heard) return;
  state.for_s = std::max(0.0, state.for_s - state.age_s);
  known = Known{std::move(state), heard};
}

std::vector<RankState> RankBoard::Heard() const {
  const std::lock_guard lock(mutex_);
  std::vector<RankState> states;
  for (const auto& known : known_) {
    if (!known) continue;
    RankState& state = states.emplace_back(known->state);
    state.age_s = SecondsSince(known->heard);
    state.for_s += state.age_s;
  }
  return states;
}

std::optional<double> RankBoard::AnotherIsBusyAlone() const {
  std::optional<double> age_s;
  for (const RankState& state : Heard()) {
    if (state.doing != Doing::kAlone || state.age_s >= kSilentSeconds) continue;
    age_s = std::min(age_s.value_or(state.age_s), state.age_s);
  }
  return age_s;
}

std::string RankBoard::WhoIsBehind() const { return WhoIsBehind(Own().operations + 1); }

std::string RankBoard::WhoIsBehind(int64_t number) const {
  const std::vector<RankState> heard = Heard();
  std::vector<int> unknown;
  for (int rank = 0; rank < size_; ++rank) {
    if (rank != rank_ && std::ranges::find(heard, rank, &RankState::rank) == heard.end()) unknown.push_back(rank);
  }
  const auto silent = [](const RankState& state) { return state.age_s >= kSilentSeconds; };
  std::vector<std::string> parts;
  // Everything about the others comes from rank 0: without it, nothing newer is known of them.
  if (!heard.empty() && rank_ != 0 && heard.front().rank == 0 && silent(heard.front())) return Silence(heard.front());
  std::vector<std::string> waiting;  // on somebody, as this rank does
  for (const RankState& state : heard) {
    if (silent(state)) {
      parts.push_back(Silence(state));
    } else if (state.stood_still_s >= kSilentSeconds) {
      parts.push_back(Standstill(state));
    } else if (state.operations < number) {
      (state.doing == Doing::kWaiting ? waiting : parts)
          .push_back(fmt::format("{} is heard, and {}", NameOf(state), Describe(state)));
    }
  }
  if (!unknown.empty()) parts.push_back(fmt::format("never heard of rank {}", fmt::join(unknown, ", ")));
  if (parts.empty()) parts = waiting;
  if (parts.empty()) return "all ranks are heard and have come to it: data does not pass between them";
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace srlm::parallel
