// One job with a launcher that only writes down what it is told: the launches are what the test says they are.
#include "coordinator/rounds/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/json_file.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

namespace fs = std::filesystem;

class ScriptedLauncher final : public launcher::Launcher {
 public:
  Result<launcher::Launch> Start(const launcher::LaunchSpec& spec) override {
    started.push_back(spec);
    running = true;
    return launcher::Launch{spec.id, 0};
  }
  Result<bool> Adopt(const std::string&, const std::string&, const std::string&) override { return false; }
  Result<launcher::LaunchStatus> Poll(const std::string&) override {
    launcher::LaunchStatus status;
    status.running = running;
    status.exit_code = running ? 0 : 1;
    status.reason = running ? "" : "exit 1";
    return status;
  }
  std::vector<std::string> Running() override { return {}; }
  void Abandon() override {}
  Status Stop(const std::string& id, Deadline) override {
    stopped.push_back(id);
    running = false;
    return OkStatus();
  }
  std::vector<launcher::LaunchSpec> started;
  std::vector<std::string> stopped;
  bool running = false;
};

/// Has as much room as the test says, and does not wait.
class ScriptedRoom final : public RoomWaiter {
 public:
  Status WaitAfter(const Status& failure) override { return failure; }
  Result<bool> WaitFor(const RoomNeed& need) override {
    asked.push_back(need);
    if (room) return true;
    ++waits;
    return false;
  }
  int pauses() const override { return waits; }
  std::vector<RoomNeed> asked;
  bool room = true;
  int waits = 0;
};

class TrainingTest : public RunFilesTest {
 protected:
  void Open(const std::vector<std::string>& more = {}, int makes = 1) {
    training_.reset();
    ledger_.reset();
    config_ = Config(more);
    inputs_ = *LoadInputs(config_);
    fs::create_directories(RunDir());
    ledger_ = *ledger::Ledger::Open(RunDir());
    models_ = *ModelBook::Open(config_, RunDir(), *ledger_);
    context_.emplace(Context{config_,
                             RunDir(),
                             "run",
                             ++epoch_,
                             *ledger_,
                             *models_,
                             inputs_,
                             queue_,
                             workers_,
                             [](const std::string&) {},
                             {}});
    if (makes == 2 && models_->Find("M1") == nullptr) {
      const KnownModel& base = *models_->Find("M0");
      EXPECT_TRUE(models_->AddTrained("M1", base.folder, base.model_id, "sft").ok());
    }
    training_.emplace(*context_, JobOf(context_->config, makes), &launcher_, "/programs");
  }
  void Advance(double after_s = 0) {
    now_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(after_s));
    const Status status = training_->Advance(now_);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  void Step(uint64_t step) {
    v1::TrainingProgress progress;
    progress.set_step(step);
    progress.set_total_steps(10);
    progress.set_first_loss(2.5);
    progress.set_total_tokens(100 * (step + 1));
    ASSERT_TRUE(training_->Progress(progress).ok());
  }
  void Stopped(uint64_t steps) {
    v1::TrainingStopped stopped;
    stopped.set_steps(steps);
    stopped.set_reason("told to");
    ASSERT_TRUE(training_->Stopped(stopped).ok());
    launcher_.running = false;
  }
  bool SawEvent(const std::string& name) {
    const std::vector<ledger::EventRow> events = *ledger_->Events(0, 0, 1000);
    return std::ranges::any_of(events, [&](const ledger::EventRow& row) { return row.event == name; });
  }
  std::string Checkpoint() { return CheckpointFolder(*context_, training_->job()) + "/step-00000200"; }

  config::RunConfig config_;
  Inputs inputs_;
  schedule::WorkQueue queue_{{}};
  schedule::Workers workers_{1};
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ModelBook> models_;
  std::optional<Context> context_;
  ScriptedLauncher launcher_;
  std::optional<Training> training_;
  Clock::time_point now_ = Clock::now();
  uint64_t epoch_ = 0;
};

TEST_F(TrainingTest, AnEndForLackOfRoomIsNoFailureHoweverOften) {
  Open({"coordinator.max_relaunches=0", "coordinator.relaunch_backoff_s=1", "coordinator.relaunch_backoff_max_s=4"});
  ScriptedRoom room;
  context_->room = &room;
  Advance();
  for (size_t launches = 1; launches < 5; ++launches) {
    ASSERT_EQ(launcher_.started.size(), launches);
    if (launches == 4) {
      room.waits = 1;  // or the coordinator had no room itself, and heard nothing of it
    } else {
      v1::TrainingFailed failed;
      failed.set_code(static_cast<uint32_t>(Code::kResourceExhausted));
      failed.set_message("weights.f32: cannot write: No space left on device");
      ASSERT_TRUE(training_->Failed(failed).ok());
    }
    launcher_.running = false;
    Advance();     // its end
    Advance(0.9);  // within the back-off
    EXPECT_EQ(launcher_.started.size(), launches);
    Advance(8);
  }
  const auto events = *ledger_->Events(0, 0, 1000);
  EXPECT_TRUE(std::ranges::any_of(events, [](const ledger::EventRow& row) {
    return row.event == "job_ended_early" && row.message.find("without room on its disk") != std::string::npos;
  }));
  launcher_.running = false;  // without that reason
  EXPECT_EQ(training_->Advance(now_).code(), Code::kFailedPrecondition);
}

TEST_F(TrainingTest, AJobIsNotStartedBeforeThereIsRoomForItsNextCheckpoint) {
  const uint64_t weights = fs::file_size(Config().model + "/model.safetensors");
  for (const auto& [steps, parts] : {std::pair{1, 3}, {0, 1}}) {
    Open({fmt::format("trainer.checkpoint_steps={}", steps)});
    ScriptedRoom room;
    room.room = false;
    context_->room = &room;
    launcher_.started.clear();
    Advance();
    Advance(1);
    EXPECT_TRUE(launcher_.started.empty());
    room.room = true;
    Advance(1);
    EXPECT_EQ(launcher_.started.size(), 1u);
    ASSERT_EQ(room.asked.size(), 3u);
    EXPECT_EQ(room.asked.back().what, "training sft");
    EXPECT_EQ(room.asked.back().bytes, static_cast<uint64_t>(parts) * weights);
  }
}

TEST_F(TrainingTest, ALaunchThatFallsSilentIsEndedAndStartedAgain) {
  Open({"trainer.silence_timeout_s=60"});
  Advance();
  Advance(59);
  EXPECT_TRUE(launcher_.stopped.empty());
  now_ = Clock::now();
  Step(0);  // it speaks: another minute
  Advance(58);
  EXPECT_TRUE(launcher_.stopped.empty());
  Advance(3);
  ASSERT_EQ(launcher_.stopped.size(), 1u);
  EXPECT_TRUE(SawEvent("trainer_silent"));
  Advance();     // its end
  Advance(100);  // after the back-off
  EXPECT_EQ(launcher_.started.size(), 2u);
  EXPECT_NE(launcher_.started[0].id, launcher_.started[1].id);
  EXPECT_EQ(training_->launch_id(), launcher_.started[1].id);
  EXPECT_EQ(training_->row().tries, 2);
  EXPECT_EQ(training_->row().first_loss, 2.5);  // of the job, not of the launch
  EXPECT_EQ(training_->row().tokens, 100u);
}

TEST_F(TrainingTest, TimeInWhichNobodyListenedIsNoSilence) {
  Open({"trainer.silence_timeout_s=60"});
  Advance();
  now_ += std::chrono::seconds(500);
  training_->Extend(std::chrono::seconds(450), now_);
  Advance();
  EXPECT_TRUE(launcher_.stopped.empty()) << "50 s of silence";
  Advance(9);
  EXPECT_TRUE(launcher_.stopped.empty());
  Advance(2);
  EXPECT_EQ(launcher_.stopped.size(), 1u);
}

TEST_F(TrainingTest, AJobThatIsHeldStopsInOrderAndStartsAgainWhenItIsReleased) {
  Open({"coordinator.max_relaunches=0"});
  Advance();
  EXPECT_FALSE(training_->stop());
  EXPECT_FALSE(*training_->Hold());
  EXPECT_TRUE(training_->stop());
  Step(3);
  Stopped(4);
  EXPECT_TRUE(*training_->Hold());
  training_->Release();
  Advance();
  EXPECT_EQ(launcher_.started.size(), 2u);
  EXPECT_TRUE(launcher_.stopped.empty());
  EXPECT_TRUE(SawEvent("job_stopped"));
  EXPECT_FALSE(SawEvent("job_ended_early"));
}

TEST_F(TrainingTest, AHeldJobThatDoesNotStopInItsTimeIsEnded) {
  Open({"trainer.stop_timeout_s=1"});
  Advance();
  const Clock::time_point begin = Clock::now();
  while (!*training_->Hold()) ASSERT_LT(SecondsSince(begin), 10);
  EXPECT_GE(SecondsSince(begin), 1);
  EXPECT_EQ(launcher_.stopped, std::vector<std::string>{launcher_.started[0].id});
  EXPECT_FALSE(SawEvent("job_ended_early"));
}

TEST_F(TrainingTest, AStopOnNoticeIsNoFailure) {
  Open({"coordinator.max_relaunches=0"});
  Advance();
  for (int stop = 0; stop < 3; ++stop) {
    Stopped(2);  // never further than before
    Advance();
    Advance(100);
  }
  EXPECT_EQ(launcher_.started.size(), 4u);
}

TEST_F(TrainingTest, CheckpointsStayForTheSameJobAndGoWithAnother) {
  Open();
  Advance();
  fs::create_directories(Checkpoint());
  std::ofstream(JobFolder(*context_, training_->job()) + "/log.jsonl") << "{\"step\": 0}\n";
  launcher_.running = false;
  Advance();
  Advance(100);  // another launch
  EXPECT_TRUE(fs::exists(Checkpoint()));
  Open({"trainer.checkpoint_steps=7", "trainer.rank_timeout_s=5"});  // another coordinator, the same job
  Advance();
  EXPECT_TRUE(fs::exists(Checkpoint()));
  EXPECT_TRUE(fs::exists(JobFolder(*context_, training_->job()) + "/log.jsonl"));
  EXPECT_FALSE(SawEvent("job_begins_anew"));
  Open({"trainer.ranks=3", "trainer.sharding=full"});  // whoever wrote a checkpoint, others read it
  Advance();
  EXPECT_TRUE(fs::exists(Checkpoint()));
  EXPECT_FALSE(SawEvent("job_begins_anew"));
  Open({"sft.weight_decay=0.2"});
  Advance();
  EXPECT_FALSE(fs::exists(Checkpoint()));
  EXPECT_TRUE(SawEvent("job_begins_anew"));
  const auto& args = launcher_.started.back().args;
  const auto timeout = std::ranges::find(args, "--rank-timeout");
  ASSERT_NE(timeout, args.end());
  EXPECT_EQ(*(timeout + 1), "600");
}

TEST_F(TrainingTest, DpoIsStartedWithTheLossAndTheSeedRowsOfTheConfiguration) {
  ASSERT_TRUE(WriteFileAtomic(folder_ + "/eft.jsonl",
                              R"({"prompt": "P", "response": "R", "justification": "J", "score": 3})"
                              "\n")
                  .ok());
  const auto value = [&](const std::string& flag) {
    const auto& args = launcher_.started.back().args;
    const auto found = std::ranges::find(args, flag);
    return found == args.end() ? "" : *(found + 1);
  };
  std::vector<std::string> more = {"data.eft=eft.jsonl", "dpo.nll_weight=0.5"};
  Open(more, 2);
  Advance();
  EXPECT_EQ(value("--nll-weight"), "0.5");
  EXPECT_EQ(value("--sft-data"), "");
  EXPECT_EQ(value("--loss"), "");
  Open({"dpo.loss=ipo", "dpo.label_smoothing=0.1", "dpo.length_normalised=true"}, 2);
  Advance();
  EXPECT_EQ(value("--loss"), "ipo");
  EXPECT_EQ(value("--label-smoothing"), "0.1");
  EXPECT_EQ(value("--length-normalised"), "true");
  more.insert(more.end(), {"dpo.mix=none", "dpo.mix_share=0.25", "dpo.mix_weight=2"});
  for (const auto& [mix, rows] : {std::pair{"eft", 1}, {"ift", 4}, {"both", 5}}) {
    more[2] = fmt::format("dpo.mix={}", mix);
    Open(more, 2);
    Advance();
    EXPECT_EQ(value("--sft-share"), "0.25");
    EXPECT_EQ(value("--sft-weight"), "2");
    const std::string path = value("--sft-data");
    const auto written = data::LoadSft(path, data::JudgeTemplate::BuiltIn());
    ASSERT_TRUE(written.ok()) << written.status().message();
    EXPECT_EQ(written->size(), static_cast<size_t>(rows)) << mix;
    EXPECT_EQ(ReadJsonObject(JobFolder(*context_, training_->job()) + "/job.json")->at("mix_sha256"),
              *Sha256File(path));
  }
  Open(more);  // SFT has the rows as its data
  Advance();
  EXPECT_EQ(value("--sft-data"), "");
  EXPECT_EQ(value("--sft-share"), "");
}

TEST_F(TrainingTest, AJobThatSavesItsModelOnTheWayDeliversAllOfThem) {
  const std::vector<std::string> settings = {"dpo.selection_steps=200", "data.validation_prompts=validation.jsonl"};
  Open(settings, 2);
  Advance();
  const auto& args = launcher_.started.back().args;
  const auto flag = std::ranges::find(args, "--save-steps");
  ASSERT_NE(flag, args.end());
  EXPECT_EQ(*(flag + 1), "200");
  const auto save = [&](int step) { fs::copy(config_.model, RunDir() + "/models/M2.step-" + std::to_string(step)); };
  save(200);
  save(300);
  v1::TrainingDone done;
  done.set_steps(300);
  done.set_model_id(models_->Find("M0")->model_id);
  done.set_model_folder(RunDir() + "/models/M2.step-200");
  EXPECT_EQ(training_->Done(done).code(), Code::kInvalidArgument);
  done.set_model_folder(RunDir() + "/models/M2.step-300");
  const Status recorded = training_->Done(done);
  ASSERT_TRUE(recorded.ok()) << recorded.message();
  EXPECT_EQ((*ledger_->Job("dpo-1"))->state, "selecting");
  for (const char* name : {"M2.step-200", "M2.step-300"}) EXPECT_NE(models_->Find(name), nullptr) << name;
  EXPECT_EQ(models_->Newest(), 1);
  launcher_.running = false;
  Advance();
  EXPECT_TRUE(training_->done());
}

TEST_F(TrainingTest, SavedModelsStayForTheSameJobAndGoWithAnother) {
  std::vector<std::string> settings = {"dpo.selection_steps=200", "data.validation_prompts=validation.jsonl"};
  Open(settings, 2);
  Advance();
  const std::string models = RunDir() + "/models/";
  for (const char* name : {"M2.step-200", "M2.step-200.tmp.123", "M1.step-200"}) fs::create_directories(models + name);
  Open(settings, 2);
  Advance();
  EXPECT_TRUE(fs::exists(models + "M2.step-200"));
  EXPECT_FALSE(fs::exists(models + "M2.step-200.tmp.123"));
  settings.emplace_back("dpo.beta=0.2");
  Open(settings, 2);
  Advance();
  EXPECT_FALSE(fs::exists(models + "M2.step-200"));
  EXPECT_TRUE(fs::exists(models + "M1.step-200"));
}

TEST_F(TrainingTest, NotesOfTheTrainerBecomeEvents) {
  Open();
  Advance();
  v1::TrainingProgress progress;
  progress.add_notes("goes on after step 4; refused: weights.f32");
  ASSERT_TRUE(training_->Progress(progress).ok());
  EXPECT_TRUE(SawEvent("job_resumed"));
}

}  // namespace
}  // namespace srlm::rounds
