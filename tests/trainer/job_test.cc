#include "trainer/job/job.h"

#include "common/base/manifest.h"
#include "common/checkpoint/checkpoint.h"
#include "common/model/parameters.h"
#include "common/model/safetensors.h"
#include "tests/trainer/job_fixture.h"
#include "trainer/job/shards.h"

namespace srlm::trainer {
namespace {

const std::vector<std::string> kDpoKeys = {"loss",   "grad_norm", "rewards_chosen", "rewards_rejected",
                                           "margin", "accuracy",  "logp_chosen",    "logp_rejected"};
const std::vector<std::string> kSftKeys = {"loss", "grad_norm"};

/// |ours - theirs| / |theirs - start| over all parameters.
double UpdateDifference(const std::string& start, const std::string& theirs_file, const std::string& ours) {
  const auto config = model::ReadModelConfig(start);
  const model::ParameterTable table = model::MakeParameterTable(*config);
  const auto theirs = model::SafetensorsFile::Open(theirs_file);
  const auto before = model::WeightFiles::Open(start, table), after = model::WeightFiles::Open(ours, table);
  SRLM_CHECK(theirs.ok() && before.ok() && after.ok(), "weights cannot be read");
  double difference = 0, update = 0;
  for (const model::Parameter& parameter : table.parameters) {
    const auto count = static_cast<size_t>(parameter.elements);
    std::vector<float> a(count), b(count), c(count);
    before->Read(parameter, a);
    theirs->Read(parameter.name, b);
    after->Read(parameter, c);
    for (size_t i = 0; i < count; ++i) {
      difference += std::pow(static_cast<double>(c[i]) - b[i], 2);
      update += std::pow(static_cast<double>(b[i]) - a[i], 2);
    }
  }
  return std::sqrt(difference / update);
}

TEST_F(JobTest, DpoStepsAreThoseOfTrl) {
  const TrainerOptions options = OptionsOf(Method::kDpo);
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  const auto rows = StepRows(options.log);
  const auto reference = ReadJson(Reference("data/dpo_tiny.json"))["steps"];
  ExpectSameSteps(rows, reference, kDpoKeys, 1e-4, 1e-3);
  EXPECT_NEAR(rows[0]["loss"].get<double>(), std::log(2.0), 1e-9);
  EXPECT_LT(UpdateDifference(options.model, Reference("data/dpo_tiny.safetensors"), options.out), 1e-2);
}

TEST_F(JobTest, SftStepsAreThoseOfAPlainTransformersLoop) {
  const TrainerOptions options = OptionsOf(Method::kSft);
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  ExpectSameSteps(StepRows(options.log), ReadJson(Reference("data/sft_tiny.json"))["steps"], kSftKeys, 1e-4, 1e-3);
  EXPECT_LT(UpdateDifference(options.model, Reference("data/sft_tiny.safetensors"), options.out), 1e-2);
}

TEST_F(JobTest, AnyNumberOfRanksAndAnyMicroBatchGiveTheSameSteps) {
  for (const Method method : {Method::kDpo, Method::kSft}) {
    for (const int64_t global_batch : {4, 3}) {  // 3 samples on 4 ranks: one has none
      TrainerOptions options = OptionsOf(method);
      options.global_batch = global_batch;
      NameOutputs(options, "one" + std::to_string(global_batch) + std::to_string(static_cast<int>(method)));
      ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
      const auto one = StepRows(options.log);
      for (const int ranks : {2, 4}) {
        for (const int64_t tokens : {1, 100000}) {
          NameOutputs(options, "many");
          options.micro_batch_tokens = tokens;
          ASSERT_TRUE(RunOnThreads(options, ranks).status.ok());
          ExpectStepsOfOneJob(StepRows(options.log), one, method == Method::kDpo);
          std::filesystem::remove_all(options.out);
        }
      }
    }
  }
}

TEST_F(JobTest, RecomputingChangesNothing) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  const auto kept = StepRows(options.log);
  NameOutputs(options, "recomputed");
  options.activation_checkpointing = config::ActivationCheckpointing::kBlock;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  ExpectSameSteps(StepRows(options.log), kept, kDpoKeys, 0, 0);
}

TEST_F(JobTest, ReferenceValuesOfTheRowsAreUsed) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.out.clear();
  options.print_logprobs = folder_ + "/logprobs.jsonl";
  ASSERT_TRUE(RunOnThreads(options, 2).status.ok());
  const auto logprobs = ReadRows(options.print_logprobs);
  auto pairs = ReadRows(options.data[0]);
  ASSERT_EQ(logprobs.size(), pairs.size());
  std::ofstream file(folder_ + "/pairs.jsonl");
  for (size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(logprobs[i]["row"], i);
    pairs[i]["reference_chosen_logp"] = logprobs[i]["chosen_logp"].get<double>() - 5;
    pairs[i]["reference_rejected_logp"] = logprobs[i]["rejected_logp"];
    file << pairs[i] << "\n";
  }
  file.close();
  options = OptionsOf(Method::kDpo);
  options.data = {folder_ + "/pairs.jsonl"};
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  EXPECT_NEAR(StepRows(options.log)[0]["margin"].get<double>(), 0.5, 1e-6);
}

// Pairs of earlier rounds stand among those of the round, whose reference values came with them.
TEST_F(JobTest, RowsWithAndWithoutReferenceValuesMix) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.out.clear();
  options.print_logprobs = folder_ + "/logprobs.jsonl";
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  const auto logprobs = ReadRows(options.print_logprobs);
  auto pairs = ReadRows(options.data[0]);
  std::ofstream file(folder_ + "/pairs.jsonl");
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i % 2 == 0) {
      pairs[i]["reference_chosen_logp"] = logprobs[i]["chosen_logp"];
      pairs[i]["reference_rejected_logp"] = logprobs[i]["rejected_logp"];
    }
    file << pairs[i] << "\n";
  }
  file.close();
  TrainerOptions without = OptionsOf(Method::kDpo);
  NameOutputs(without, "without");
  ASSERT_TRUE(RunOnThreads(without, 1).status.ok());
  TrainerOptions mixed = OptionsOf(Method::kDpo);
  mixed.data = {folder_ + "/pairs.jsonl"};
  NameOutputs(mixed, "mixed");
  ASSERT_TRUE(RunOnThreads(mixed, 2).status.ok());
  ExpectStepsOfOneJob(StepRows(mixed.log), StepRows(without.log), true);
}

TEST_F(JobTest, SavesAWholeModelFolderAndOneRowAStep) {
  const TrainerOptions options = OptionsOf(Method::kDpo);
  ASSERT_TRUE(RunOnThreads(options, 2).status.ok());
  const auto rows = ReadRows(options.log);
  ASSERT_EQ(rows.size(), 6u);
  for (size_t step = 0; step < 5; ++step) EXPECT_EQ(rows[step]["step"], step);
  EXPECT_EQ(rows[5]["event"], "done");
  EXPECT_FALSE(rows[5].contains("loss"));
  const auto manifest = ReadManifest(options.out);
  ASSERT_TRUE(manifest.ok());
  EXPECT_TRUE(VerifyManifest(options.out, *manifest).ok());
  EXPECT_EQ(rows[5]["model_id"], manifest->ModelId());
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json"}) {
    EXPECT_TRUE(std::filesystem::exists(options.out + "/" + name)) << name;
  }
}

std::vector<float> WeightsOf(const std::string& folder) {
  const model::ParameterTable table = model::MakeParameterTable(*model::ReadModelConfig(folder));
  std::vector<float> weights(static_cast<size_t>(table.total_elements));
  model::WeightFiles::Open(folder, table)->ReadRange(table, 0, weights);
  return weights;
}

/// One kind of value of a checkpoint, in the order of WeightsOf the model folder.
std::vector<float> ValuesOf(const std::string& checkpoint, const std::string& kind, const std::string& folder) {
  const auto state = checkpoint::ReadState(checkpoint);
  const model::ParameterTable table = model::MakeParameterTable(*model::ReadModelConfig(folder));
  const auto reader = ShardReader::Open(checkpoint, kind, {state->shards, state->shard_multiple}, table);
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  std::vector<float> values(static_cast<size_t>(table.total_elements));
  reader->Read(0, values);
  return values;
}

TEST_F(JobTest, ACheckpointHoldsTheWeightsOfItsStepAndTheLastOneThoseOfTheModel) {
  TrainerOptions options = OptionsOf(Method::kSft);
  options.checkpoint_steps = 2;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  const auto all = checkpoint::CheckpointFolder(options.out + ".checkpoints", 2).List();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 2u);  // of 2, 4 and 5
  const std::vector<float> model = WeightsOf(options.out);
  const std::vector<float> second = ValuesOf(all->back(), "second_moment", options.out);
  EXPECT_EQ(checkpoint::ReadState(all->back())->step, 5);
  EXPECT_EQ(ValuesOf(all->back(), "weights", options.out), model);
  EXPECT_TRUE(std::ranges::all_of(second, [](float value) { return value >= 0; }));
  const auto fourth = checkpoint::ReadState(all->front());
  ASSERT_TRUE(fourth.ok());
  EXPECT_EQ(fourth->step, 4);
  const std::vector<float> weights = ValuesOf(all->front(), "weights", options.out);
  NameOutputs(options, "four");
  options.max_steps = 4;
  options.checkpoint_steps = 0;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  EXPECT_EQ(weights, WeightsOf(options.out));
  EXPECT_FALSE(std::filesystem::exists(options.out + ".checkpoints"));
  const auto rows = StepRows(options.log);
  EXPECT_EQ(fourth->first_loss, rows[0]["loss"].get<double>());
  EXPECT_EQ(fourth->tokens, rows[0]["tokens"].get<int64_t>() + rows[1]["tokens"].get<int64_t>() +
                                rows[2]["tokens"].get<int64_t>() + rows[3]["tokens"].get<int64_t>());
}

/// Counts steps and asks to stop after the second.
class StoppingReporter : public Reporter {
 public:
  Result<bool> Step(const StepValues&) override { return ++steps == 2; }
  Status Done(const JobResult&) override {
    ++done;
    return OkStatus();
  }
  void Stopped(int64_t steps_done, bool asked, const std::string& reason) override {
    stopped_steps = steps_done;
    stop_was_asked = asked;
    stop_reason = reason;
  }
  void Note(const std::string& text) override { notes += text + "\n"; }
  void Failed(const Status&) override {}
  int steps = 0, done = 0;
  int64_t stopped_steps = -1;
  bool stop_was_asked = false;
  std::string stop_reason, notes;
};

/// Rows of steps as text, without their times.
std::vector<std::string> Bits(const std::string& log) {
  std::vector<std::string> rows;
  for (nlohmann::json& row : StepRows(log)) {
    row.erase("seconds");
    row.erase("waited_seconds");
    rows.push_back(row.dump());
  }
  return rows;
}

TEST_F(JobTest, AJobThatIsToldToStopGoesOnToTheBitsOfOneThatIsNot) {
  for (const Method method : {Method::kDpo, Method::kSft}) {
    for (const int ranks : {1, 2}) {
      TrainerOptions options = OptionsOf(method);
      options.shuffle = true;
      options.max_steps = 12;  // into the third epoch
      const std::string name = std::to_string(static_cast<int>(method)) + std::to_string(ranks);
      NameOutputs(options, "calm" + name);
      ASSERT_TRUE(RunOnThreads(options, ranks).status.ok());
      const auto calm = Bits(options.log);
      const std::vector<float> model = WeightsOf(options.out);

      NameOutputs(options, "stopped" + name);
      StoppingReporter reporter;
      const JobEnd end = RunOnThreads(options, ranks, &reporter);
      EXPECT_EQ(end.status.code(), Code::kCancelled);
      EXPECT_TRUE(end.together && end.everywhere);
      EXPECT_EQ(reporter.steps, 2);
      EXPECT_EQ(reporter.stopped_steps, 2);
      EXPECT_TRUE(reporter.stop_was_asked);
      EXPECT_FALSE(std::filesystem::exists(options.out));
      EXPECT_EQ(StepRows(options.log).size(), 2u);

      StoppingReporter second;
      second.steps = 10;  // asks for nothing
      ASSERT_TRUE(RunOnThreads(options, ranks, &second).status.ok());
      EXPECT_EQ(second.done, 1);
      EXPECT_NE(second.notes.find("goes on after step 2"), std::string::npos) << second.notes;
      EXPECT_EQ(Bits(options.log), calm);
      EXPECT_EQ(WeightsOf(options.out), model);
    }
  }
}

TEST_F(JobTest, NoticeOnAnyRankStopsAllAfterTheStep) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  StoppingReporter reporter;
  reporter.steps = 10;
  const JobEnd end = RunOnThreads(options, 3, &reporter, [](int rank) { return rank == 2; });
  EXPECT_EQ(end.status.code(), Code::kCancelled);
  EXPECT_NE(end.status.message().find("SIGTERM on rank 2"), std::string::npos) << end.status.message();
  EXPECT_EQ(reporter.stopped_steps, 1);
  EXPECT_FALSE(reporter.stop_was_asked);
  // A job that has made its last step rather saves its model.
  NameOutputs(options, "short");
  options.max_steps = 1;
  EXPECT_TRUE(RunOnThreads(options, 3, nullptr, [](int) { return true; }).status.ok());
}

TEST_F(JobTest, ThreadsThatNobodyAskedForAreThoseOfTheCheckpoint) {
  TrainerOptions options = OptionsOf(Method::kSft);
  NameOutputs(options, "calm");
  options.threads = 2;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  NameOutputs(options, "stopped");
  StoppingReporter reporter;
  EXPECT_EQ(RunOnThreads(options, 1, &reporter).status.code(), Code::kCancelled);
  options.threads = 3;
  const JobEnd refused = RunOnThreads(options, 1);
  EXPECT_EQ(refused.status.code(), Code::kFailedPrecondition);
  EXPECT_NE(refused.status.message().find("threads is 2 there and 3 now"), std::string::npos)
      << refused.status.message();
  options.threads = 0;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  EXPECT_EQ(Bits(folder_ + "/stopped.jsonl"), Bits(folder_ + "/calm.jsonl"));
}

TEST_F(JobTest, ADivergedLossEndsTheJobWithoutAModel) {
  TrainerOptions options = OptionsOf(Method::kSft);
  options.learning_rate = options.final_learning_rate = 1e30;
  const JobEnd end = RunOnThreads(options, 2);
  EXPECT_EQ(end.status.code(), Code::kFailedPrecondition) << end.status.message();
  EXPECT_TRUE(end.together && end.everywhere);
  EXPECT_FALSE(std::filesystem::exists(options.out));
}

TEST_F(JobTest, RanksLeaveTogetherWhenInputsAreBad) {
  TrainerOptions options = OptionsOf(Method::kSft);
  options.data = {folder_ + "/absent.jsonl"};
  const JobEnd end = RunOnThreads(options, 3);
  EXPECT_FALSE(end.status.ok());
  EXPECT_TRUE(end.together);
}

}  // namespace
}  // namespace srlm::trainer
