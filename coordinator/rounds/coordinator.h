// The coordinator of one run: owns its folder, serves workers, trainers and people, and takes the loop to its end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/status.h"
#include "common/config/config.h"
#include "coordinator/launcher/launcher.h"
#include "coordinator/rounds/inputs.h"
#include "srlm/v1/run.pb.h"

namespace srlm::rounds {

struct CoordinatorOptions {
  std::string program_folder;  // where srlm-worker and srlm-trainer lie
  /// Starts the groups. Null: nothing is started, and messages say what to start by hand (`launcher: none`).
  std::unique_ptr<launcher::Launcher> launcher;
  /// Takes the run from a coordinator that may live: a person says that it will not go on.
  bool take_over = false;
  /// The files that the configuration names, when they are read already (ReadInputs; checked or not).
  std::optional<Inputs> inputs;
  /// Gets lines for people that are no log (commands to run by hand). From the coordinator's thread.
  std::function<void(const std::string&)> notice;
  /// Longest time between two looks at what tells nobody of itself: groups that ended, files, the disk.
  std::chrono::milliseconds tick{100};
};

/// Why Run came back.
enum class RunEnd {
  kDone,       // every round is finished
  kPaused,     // a check failed; Status().message() says which and what to do
  kEnded,      // a health rule asked for it; Status().message() says which, and which model is best
  kCancelled,  // a person asked for it; the run goes on where it is when it is started again
  kStopped,    // Stop was called; the run goes on where it is when it is started again
};

class Coordinator {
 public:
  /// Takes the run at `run_dir` (made when missing), or goes on with it: claims RUN/owner.lock, opens the ledger,
  /// stores config.yaml, loads the tokenizer and the data, listens, and writes RUN/coordinator.json.
  /// FailedPrecondition when another coordinator holds the run that is not known to have ended (says who), or when
  /// `config` differs from the run's, or the contents of its files from those that the run began with, in a way that
  /// would mix results (says where). Other codes: bad inputs, the address is taken, no room.
  static Result<std::unique_ptr<Coordinator>> Create(const config::RunConfig& config, const std::string& run_dir,
                                                     CoordinatorOptions options);
  ~Coordinator();

  /// Works until the run is done or paused, or Stop is called. Fails when the ledger cannot be written or a job
  /// cannot be done; the ledger then stands as at the last commit. Groups that it started have ended when it returns:
  /// they are asked to, and killed when they do not in time. Aborted when another coordinator has taken the run:
  /// nothing is stored, and the groups are left to it.
  Result<RunEnd> Run();

  /// Ends Run in order: nothing more is leased, the groups may hand in what they hold, and a training job ends its step
  /// and writes a checkpoint, within trainer.stop_timeout_s. A second call ends it without waiting for them. From any
  /// thread.
  void Stop();
  /// The same for who has no time to wait for a step: groups of all kinds are asked to end, and killed after 10 s.
  void StopSoon();

  /// Ends Run as Stop does, but gives everybody their time as a pause does: workers hand in what they hold, a training
  /// job saves a checkpoint. On a run that is paused by a person Run then comes back with kPaused. Stop may still be
  /// called. From any thread.
  void Drain();

  /// Whether the run got further: a result was stored, or a training step reported. After Run.
  bool GotFurther() const;

  /// Of a run that came back with kPaused or kEnded: the override (`key=value`) with which it goes on as it is. Empty:
  /// Status().message() says what to change. Null: nothing is to be changed, a person paused it. After Run.
  std::optional<std::string> GoesOnWith() const;

  /// What the run is doing. From any thread, also while Run works.
  v1::RunStatus Status() const;

  /// Where it listens, `host:port`.
  const std::string& address() const;

 private:
  struct Parts;
  explicit Coordinator(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace srlm::rounds
