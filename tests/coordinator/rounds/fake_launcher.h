// A launcher whose groups are threads of the test: fake workers, and trainers that copy their model.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/coordinator.h"

namespace srlm::rounds {

struct FakeGroups {
  uint64_t order = 1;                               // of the workers' answers
  std::atomic<int> failing_starts = 0;              // so many trainers end without a model
  std::atomic<int> steps_of_failing = 0;            // that these report before
  std::atomic<int> failure_code = 0;                // that these report; 0: they say nothing
  std::function<void()> before_failing;             // in the group of a trainer that ends without a model
  std::atomic<int> silent_ends = 0;                 // so many trainers save their model and die before saying so
  std::atomic<int> dying_workers = 0;               // so many workers die with what they leased
  std::atomic<int> workers = 0;                     // started so far
  std::atomic<int> trainers = 0;                    // started so far
  std::function<std::string(uint64_t)> judgement;   // replaces the workers' one
  std::function<std::string(uint64_t)> comparison;  // the same
  std::function<bool(uint64_t)> cuts;               // the same
  std::function<bool(const std::string&)> refuses;  // items that cannot be done
  std::atomic<int> steps = 2;                       // of a training job
  /// Replaces the workers' one. From their threads.
  std::function<int(const std::string&)> quality;
};

class FakeLauncher final : public launcher::Launcher {
 public:
  /// `groups` outlives it.
  explicit FakeLauncher(FakeGroups& groups) : groups_(groups) {}
  ~FakeLauncher() override;

  Result<launcher::Launch> Start(const launcher::LaunchSpec& spec) override;
  Result<bool> Adopt(const std::string&, const std::string&, const std::string&) override { return false; }
  Result<launcher::LaunchStatus> Poll(const std::string& id) override;
  std::vector<std::string> Running() override;
  void Abandon() override;
  Status Stop(const std::string& id, Deadline deadline) override;

 private:
  struct Group {
    std::thread thread;
    std::atomic<bool> stop = false;
    std::atomic<bool> ended = false;
    int exit_code = 0;
  };
  FakeGroups& groups_;
  std::map<std::string, std::unique_ptr<Group>> running_;
};

/// A coordinator of fake groups, which looks every few milliseconds for those that ended. `groups` outlives it.
CoordinatorOptions FastOptions(FakeGroups& groups);

}  // namespace srlm::rounds
