#include "tests/coordinator/rounds/fake_launcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "common/rpc/channel.h"
#include "common/rpc/run_address.h"
#include "srlm/v1/training.grpc.pb.h"
#include "tests/coordinator/rounds/fake_worker.h"

namespace srlm::rounds {
namespace {

std::string Flag(const launcher::LaunchSpec& spec, const std::string& name) {
  const auto at = std::ranges::find(spec.args, name);
  return at == spec.args.end() ? "" : *(at + 1);
}

// What a trainer says to its coordinator.
class Reports {
 public:
  Reports(const launcher::LaunchSpec& spec, int steps) : spec_(spec), steps_(static_cast<uint64_t>(steps)) {
    const auto address = rpc::ReadRunAddress(Flag(spec, "--run"));
    EXPECT_TRUE(address.ok()) << address.status().message();
    epoch_ = address->epoch;
    stub_ = v1::TrainingService::NewStub(*rpc::MakeRunChannel(Flag(spec, "--run"), *address, rpc::Right::kWork));
  }

  void Step(uint64_t step) {
    auto progress = Message<v1::TrainingProgress>();
    progress.set_step(step);
    progress.set_total_steps(steps_);
    progress.set_loss(step == 0 ? 0.75 : 0.5);
    progress.set_first_loss(0.75);
    progress.set_margin(0.25);
    progress.set_rewards_chosen(-0.5);
    progress.set_rewards_rejected(-1.5);
    EXPECT_TRUE(rpc::Call(*stub_, &Stub::ReportProgress, progress, 10, "ReportProgress").ok());
    progress.set_launch_id("of an earlier trainer");
    EXPECT_EQ(rpc::Call(*stub_, &Stub::ReportProgress, progress, 10, "ReportProgress").status().code(),
              Code::kFailedPrecondition);
  }
  void Done(const std::string& folder, const std::string& model_id) {
    auto done = Message<v1::TrainingDone>();
    done.set_model_folder(folder);
    done.set_model_id(model_id);
    done.set_steps(steps_);
    const auto answer = rpc::Call(*stub_, &Stub::ReportDone, done, 10, "ReportDone");
    EXPECT_TRUE(answer.ok()) << answer.status().message();
  }
  void Failed(int code) {
    auto failed = Message<v1::TrainingFailed>();
    failed.set_message("the trainer's own words");
    failed.set_code(static_cast<uint32_t>(code));
    EXPECT_TRUE(rpc::Call(*stub_, &Stub::ReportFailed, failed, 10, "ReportFailed").ok());
  }

 private:
  using Stub = v1::TrainingService::Stub;
  template <class T>
  T Message() const {
    T message;
    message.set_epoch(epoch_);
    message.set_job_id(Flag(spec_, "--job-id"));
    message.set_launch_id(Flag(spec_, "--launch-id"));
    return message;
  }
  const launcher::LaunchSpec& spec_;
  uint64_t steps_;
  uint64_t epoch_ = 0;
  std::unique_ptr<Stub> stub_;
};

// Copies the model to `out`, with so many lines more in one file, unless it is there.
Manifest SaveModel(const launcher::LaunchSpec& spec, const std::string& out, int64_t lines) {
  if (std::filesystem::exists(out)) return *ReadManifest(out);
  std::filesystem::copy(Flag(spec, "--model"), out);
  std::filesystem::remove(out + "/" + kManifestFile);
  std::ofstream(out + "/config.json", std::ios::app) << std::string(static_cast<size_t>(lines), '\n');
  Manifest manifest = *HashModelFolder(out);
  EXPECT_TRUE(WriteManifest(out, manifest).ok());
  return manifest;
}

// Reports its steps, saves what it is to save, and reports the end, unless it is to die before.
void Train(const launcher::LaunchSpec& spec, int steps, bool silent) {
  Reports reports(spec, steps);
  for (int step = 0; step < steps; ++step) reports.Step(static_cast<uint64_t>(step));
  std::string out = Flag(spec, "--out");
  Manifest manifest;
  if (const std::string every = Flag(spec, "--save-steps"); every.empty()) {
    manifest = SaveModel(spec, out, 1);
  } else {
    for (const int64_t step : SavedSteps(std::stoll(every), steps))
      manifest = SaveModel(spec, SavedName(out, step), step);
    out = SavedName(out, steps);
  }
  if (!silent) reports.Done(out, manifest.ModelId());
}

void FailToTrain(const launcher::LaunchSpec& spec, const FakeGroups& groups) {
  if (groups.before_failing) groups.before_failing();
  std::filesystem::create_directories(Flag(spec, "--out") + ".tmp.12345");  // a save that was cut
  if (groups.steps_of_failing == 0 && groups.failure_code == 0) return;
  Reports reports(spec, groups.steps);
  for (int step = 0; step < groups.steps_of_failing; ++step) reports.Step(static_cast<uint64_t>(step));
  if (groups.failure_code != 0) reports.Failed(groups.failure_code);
}

}  // namespace

FakeLauncher::~FakeLauncher() {
  for (auto& [id, group] : running_) {
    group->stop = true;
    group->thread.join();
  }
}

Result<launcher::Launch> FakeLauncher::Start(const launcher::LaunchSpec& spec) {
  auto& group = running_[spec.id] = std::make_unique<Group>();
  const bool trainer = spec.program.ends_with("srlm-trainer");
  const bool fails = trainer && groups_.trainers++ < groups_.failing_starts;
  const bool dies = !trainer && groups_.workers++ < groups_.dying_workers;
  const bool silent = trainer && !fails && groups_.silent_ends-- > 0;
  if (fails || silent) group->exit_code = 1;
  if (dies) group->exit_code = 137;
  group->thread = std::thread([this, spec, trainer, fails, silent, dies, raw = group.get()] {
    if (trainer) {
      if (fails)
        FailToTrain(spec, groups_);
      else
        Train(spec, groups_.steps, silent);
    } else {
      FakeWorker worker(Flag(spec, "--run"), spec.id, groups_.order);
      if (groups_.judgement) worker.judgement = groups_.judgement;
      if (groups_.comparison) worker.comparison = groups_.comparison;
      worker.cuts = groups_.cuts;
      worker.refuses = groups_.refuses;
      if (groups_.quality) worker.quality = groups_.quality;
      if (dies)
        (void)worker.Lease(3);
      else
        worker.Work(raw->stop);
    }
    raw->ended = true;
  });
  return launcher::Launch{spec.id, 0};
}

Result<launcher::LaunchStatus> FakeLauncher::Poll(const std::string& id) {
  const Group& group = *running_.at(id);
  launcher::LaunchStatus status;
  status.running = !group.ended;
  if (status.running) return status;
  status.exit_code = group.exit_code;
  status.reason = "exit " + std::to_string(group.exit_code);
  if (group.exit_code != 0) status.tail = {"rank 0: no memory"};
  return status;
}

std::vector<std::string> FakeLauncher::Running() {
  std::vector<std::string> running;
  for (const auto& [id, group] : running_)
    if (!group->ended) running.push_back(id);
  return running;
}

void FakeLauncher::Abandon() {
  for (auto& [id, group] : running_) group->thread.detach();
  running_.clear();
}

Status FakeLauncher::Stop(const std::string& id, Deadline) {
  running_.at(id)->stop = true;
  return OkStatus();
}

CoordinatorOptions FastOptions(FakeGroups& groups) {
  CoordinatorOptions options;
  options.program_folder = "/programs";
  options.launcher = std::make_unique<FakeLauncher>(groups);
  options.tick = std::chrono::milliseconds(5);
  return options;
}

}  // namespace srlm::rounds
