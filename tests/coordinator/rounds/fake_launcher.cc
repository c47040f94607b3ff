#include "tests/coordinator/rounds/fake_launcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/manifest.h"
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

// Copies the model, with one file changed, and reports two steps and the end.
void Train(const launcher::LaunchSpec& spec) {
  const std::string out = Flag(spec, "--out");
  std::filesystem::copy(Flag(spec, "--model"), out);
  std::filesystem::remove(out + "/" + kManifestFile);
  std::ofstream(out + "/config.json", std::ios::app) << "\n";
  const Manifest manifest = *HashModelFolder(out);
  ASSERT_TRUE(WriteManifest(out, manifest).ok());
  const auto address = rpc::ReadRunAddress(Flag(spec, "--run"));
  ASSERT_TRUE(address.ok()) << address.status().message();
  const auto stub =
      v1::TrainingService::NewStub(*rpc::MakeRunChannel(Flag(spec, "--run"), *address, rpc::Right::kWork));
  for (uint64_t step = 0; step < 2; ++step) {
    v1::TrainingProgress progress;
    progress.set_epoch(address->epoch);
    progress.set_job_id(Flag(spec, "--job-id"));
    progress.set_step(step);
    progress.set_total_steps(2);
    progress.set_loss(step == 0 ? 0.75 : 0.5);
    progress.set_margin(0.25);
    EXPECT_TRUE(rpc::Call(*stub, &v1::TrainingService::Stub::ReportProgress, progress, 10, "ReportProgress").ok());
  }
  v1::TrainingDone done;
  done.set_epoch(address->epoch);
  done.set_job_id(Flag(spec, "--job-id"));
  done.set_model_folder(out);
  done.set_model_id(manifest.ModelId());
  done.set_steps(2);
  const auto answer = rpc::Call(*stub, &v1::TrainingService::Stub::ReportDone, done, 10, "ReportDone");
  EXPECT_TRUE(answer.ok()) << answer.status().message();
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
  if (fails) group->exit_code = 1;
  if (dies) group->exit_code = 137;
  group->thread = std::thread([this, spec, trainer, fails, dies, raw = group.get()] {
    if (trainer) {
      if (!fails) Train(spec);
    } else {
      FakeWorker worker(Flag(spec, "--run"), spec.id, groups_.order);
      if (groups_.judgement) worker.judgement = groups_.judgement;
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

Status FakeLauncher::Stop(const std::string& id, Deadline) {
  running_.at(id)->stop = true;
  return OkStatus();
}

}  // namespace srlm::rounds
