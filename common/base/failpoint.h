// Places where a test makes a program die: SRLM_FAILPOINT names one, and the process aborts there.
//
//   SRLM_FAILPOINT=ledger.before_commit:3               at the third pass
//   SRLM_FAILPOINT=worker.begin_item@1/candidate/p3     at every pass with this subject
//   SRLM_FAILPOINT_COUNT=FILE                           passes are counted over all processes that share FILE, so that
//                                                       a process that is started again does not die there again
//
// Without SRLM_FAILPOINT a pass costs one test of a flag.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

/// The programs that have failpoints; bits.
enum FailpointProgram : unsigned { kFailInSrlm = 1, kFailInWorker = 2, kFailInTrainer = 4 };

struct FailpointEntry {
  std::string_view name;
  unsigned programs;
  /// What a pass can be about: space-separated names, "*" for any (an item's id), empty for nothing.
  std::string_view subjects = "";
};

/// All of them. `--list-failpoints` of a program prints its own.
inline constexpr std::array kFailpoints = std::to_array<FailpointEntry>({
    // common/base/file.cc, by file name
    {"file.before_rename", kFailInSrlm, "owner.lock coordinator.json config.yaml job.json data.jsonl"},
    {"file.after_rename", kFailInSrlm, "owner.lock coordinator.json config.yaml job.json data.jsonl"},
    {"file.before_rename", kFailInTrainer, "weights.f32 checkpoint.json config.json srlm_manifest.json"},
    {"file.after_rename", kFailInTrainer, "weights.f32 checkpoint.json config.json srlm_manifest.json"},
    // coordinator/ledger
    {"owner.before_claim", kFailInSrlm},
    {"owner.after_claim", kFailInSrlm},
    {"ledger.before_apart", kFailInSrlm},  // the copy of a ledger that is taken over is there
    {"ledger.before_commit", kFailInSrlm},
    {"ledger.after_commit", kFailInSrlm},
    // coordinator/rounds
    {"launch.before_record", kFailInSrlm},
    {"launch.before_start", kFailInSrlm},  // recorded, not started
    {"launch.after_start", kFailInSrlm},   // started, its process not recorded
    {"launch.after_record", kFailInSrlm},
    {"launch.before_end", kFailInSrlm},  // the group has ended, which is not recorded
    {"lease.before_answer", kFailInSrlm},
    {"submit.before_commit", kFailInSrlm},
    {"submit.after_commit", kFailInSrlm},  // on disk, not acknowledged
    {"training.after_progress", kFailInSrlm},
    {"training.before_done", kFailInSrlm},
    {"training.after_done", kFailInSrlm},      // on disk, not acknowledged
    {"selection.before_rename", kFailInSrlm},  // the choice is on disk, and not carried out
    {"selection.after_rename", kFailInSrlm},
    {"selection.after_remove", kFailInSrlm},  // the round's model has its place, which is not recorded
    // worker/roles
    {"worker.registered", kFailInWorker},
    {"worker.model_loaded", kFailInWorker},
    {"worker.leased", kFailInWorker},
    {"worker.begin_item", kFailInWorker, "*"},
    {"worker.end_item", kFailInWorker, "*"},
    {"worker.before_submit", kFailInWorker},
    {"worker.before_acknowledge", kFailInWorker},  // submitted and answered, not yet noted
    {"worker.after_acknowledge", kFailInWorker},
    {"worker.before_leave", kFailInWorker},
    // trainer, common/checkpoint, common/model
    {"trainer.connected", kFailInTrainer},
    {"trainer.before_report", kFailInTrainer},
    {"trainer.after_report", kFailInTrainer},
    {"trainer.before_done", kFailInTrainer},
    {"trainer.after_done", kFailInTrainer},
    {"checkpoint.before_write", kFailInTrainer},
    {"checkpoint.before_rename", kFailInTrainer},
    {"checkpoint.before_verify", kFailInTrainer},
    {"checkpoint.before_delete", kFailInTrainer},
    {"checkpoint.after_delete", kFailInTrainer},
    {"model.before_write", kFailInTrainer},
    {"model.before_rename", kFailInTrainer},
    {"model.after_rename", kFailInTrainer},
});

/// A name of kFailpoints: any other does not compile.
class FailpointName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): so that a call reads Failpoint("ledger.before_commit").
  consteval FailpointName(const char* name) : text_(name) {
    if (std::ranges::find(kFailpoints, text_, &FailpointEntry::name) == kFailpoints.end()) throw "not in kFailpoints";
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// Reads SRLM_FAILPOINT and SRLM_FAILPOINT_COUNT. InvalidArgument for a name or subject that is not in kFailpoints;
/// those of the other programs are right, and never passed here. Once, first in main: a process has one environment,
/// which is why this is the one state that no object owns.
Status ArmFailpoints();

/// Names of a program's failpoints, one a line, with their known subjects as name@subject.
std::string ListFailpoints(FailpointProgram program);

namespace internal {
extern bool failpoints_armed;
void PassFailpoint(std::string_view name, std::string_view subject);
}  // namespace internal

/// Aborts when SRLM_FAILPOINT asks for it. From any thread.
inline void Failpoint(FailpointName name, std::string_view subject = {}) {
  if (internal::failpoints_armed) [[unlikely]]
    internal::PassFailpoint(name.text(), subject);
}

}  // namespace srlm
