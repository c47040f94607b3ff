// The workers that this coordinator starts: one group a replica, started again when it dies with work left.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/context.h"

namespace srlm::rounds {

class Fleet {
 public:
  /// `launcher` null: workers join by hand, and there is nothing to do here.
  Fleet(const Context& context, launcher::Launcher* launcher, std::string program_folder);

  /// Takes over what an earlier coordinator left on this host, without waiting: its workers are replicas as before, and
  /// hand in what they hold; trainers, which their job resumes from its last checkpoint, are ended.
  Status TakeOver();

  /// With `wanted`, keeps the replicas running while work waits. Without, lets them go: the lease answers tell them to
  /// leave, and those still there after a minute are ended. Fails when replicas ended max_relaunches times in a row
  /// without finishing an item between.
  Status Advance(Clock::time_point now, bool wanted);

  /// Ends a group whose worker is stuck, which counts as its death; false when no group of ours has this id.
  Result<bool> EndStuck(const std::string& launch_id);

  /// Gives everybody so much longer to register and to leave.
  void Extend(Clock::duration span);

  /// Whether no group runs.
  bool empty() const;

 private:
  struct Replica {
    std::string launch_id;  // empty: not running
    std::string log_dir;
    int failures = 0;         // ends without a finished item between
    int pauses_at_start = 0;  // for lack of room
    uint64_t finished_at_start = 0;
    Clock::time_point next_start{};
    Clock::time_point register_by{};
    bool joined = false;                        // its worker has registered
    std::optional<Clock::time_point> leave_by;  // ended then
    bool stopped = false;
    bool stuck = false;  // stopped for that
  };
  void Begin(Replica& replica, const std::string& launch_id);
  Status Start(Replica& replica);
  Status EndLeftovers();
  Status Watch(Replica& replica, Clock::time_point now, bool wanted);
  Status NoticeEnd(Replica& replica, const launcher::LaunchStatus& status, Clock::time_point now, bool wanted);

  const Context& context_;
  launcher::Launcher* launcher_;
  std::string program_folder_;
  std::vector<Replica> replicas_;
  std::vector<std::string> leftovers_;  // launches of an earlier coordinator that were asked to end
  int launches_ = 0;
  bool told_ = false;  // how workers join by hand
};

}  // namespace srlm::rounds
