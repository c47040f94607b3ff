// Where this rank is, and what it knows of the others: the side channel carries the one to the others' boards and fills
// the other. It lives as long as the MPI session.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/parallel/rank_state.h"

namespace srlm::parallel {

/// A rank that was not heard for so long is stopped, gone or cut off: it speaks several times a second.
inline constexpr double kSilentSeconds = 1.5;

/// From any thread.
class RankBoard {
 public:
  RankBoard(int rank, int size);
  int rank() const { return rank_; }
  int size() const { return size_; }

  /// The part of the job that this rank is in: "step 17".
  void SetPhase(std::string_view phase);
  /// This rank begins an operation. Its number: operations are counted from 1, over all communicators.
  int64_t BeginOperation(std::string_view what);
  void BeginWait(std::string_view what);
  void BeginAlone(std::string_view what);
  /// After BeginWait and BeginAlone.
  void Compute();

  /// `came` says, from any thread, whether this rank was told to end: the others hear of it.
  void TellNotice(std::function<bool()> came);
  /// Whether another rank was.
  bool AnotherWasNoticed() const;

  /// This process did not run for so long, until now: the others may have missed it.
  void NoteStandstill(double seconds);

  /// This rank's own state.
  RankState Own() const;
  /// How often it changed.
  uint64_t changes() const;

  /// Takes what was said about another rank, `state.age_s` ago.
  void Hear(RankState state);
  /// Every other rank that was ever heard, as of now.
  std::vector<RankState> Heard() const;
  /// Seconds since a rank was heard that is busy alone, the one heard last; none when no rank is, or only silent ones.
  std::optional<double> AnotherIsBusyAlone() const;

  /// For the message of a wait that does not end: which ranks are silent, or have not come to operation `number` of
  /// this rank, with what they were last heard to do and since when.
  std::string WhoIsBehind(int64_t number) const;
  /// The same for a call that all ranks make, after all operations.
  std::string WhoIsBehind() const;

 private:
  void Set(Doing doing, std::string_view what);

  const int rank_;
  const int size_;
  mutable std::mutex mutex_;
  RankState own_;          // without for_s
  std::string operation_;  // the last one begun
  std::function<bool()> notice_came_;
  Clock::time_point since_ = Clock::now();
  Clock::time_point ran_again_{};  // after own_.stood_still_s
  uint64_t changes_ = 0;
  struct Known {
    RankState state;
    Clock::time_point heard;
  };
  std::vector<std::optional<Known>> known_;  // by rank; this one's stays empty
};

}  // namespace srlm::parallel
