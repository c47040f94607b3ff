// DPO with more in its loss: NLL of the chosen answers, and SFT rows mixed into its steps.
#include "tests/trainer/job_fixture.h"

namespace srlm::trainer {
namespace {

const std::vector<std::string> kKeys = {"loss", "grad_norm", "nll", "sft_loss"};

class MixTest : public JobTest {
 protected:
  /// Steps of 4 pairs and 2 rows, NLL added.
  TrainerOptions Mixed() {
    TrainerOptions options = OptionsOf(Method::kDpo);
    options.nll_weight = 0.5;
    options.sft_data = OptionsOf(Method::kSft).data;
    options.sft_share = 0.5;
    options.sft_weight = 2;
    return options;
  }
  std::string Write(const std::string& name, const std::vector<nlohmann::json>& rows) {
    std::ofstream file(folder_ + "/" + name);
    for (const auto& row : rows) file << row << "\n";
    return folder_ + "/" + name;
  }
  std::vector<nlohmann::json> Logprobs(Method method, const std::vector<std::string>& data) {
    TrainerOptions options = OptionsOf(method);
    options.model = OptionsOf(Method::kDpo).model;
    options.data = data;
    options.out.clear();
    options.print_logprobs = folder_ + "/logprobs.jsonl";
    EXPECT_TRUE(RunOnThreads(options, 1).status.ok());
    return ReadRows(options.print_logprobs);
  }
};

TEST_F(MixTest, LossIsTheSumOfPairsNllAndRows) {
  const TrainerOptions options = Mixed();
  const auto pairs = Logprobs(Method::kDpo, options.data), rows = Logprobs(Method::kSft, options.sft_data);
  const auto step = Train(options)[0];
  double nll = 0, row_logp = 0, row_tokens = 0;
  for (size_t i = 0; i < 4; ++i) nll -= pairs[i]["chosen_logp"].get<double>() / pairs[i]["chosen_tokens"].get<double>();
  for (size_t i = 0; i < 2; ++i) {
    row_logp += rows[i]["logp"].get<double>();
    row_tokens += rows[i]["tokens"].get<double>();
  }
  EXPECT_NEAR(step["nll"], nll / 4, 1e-6);
  EXPECT_NEAR(step["sft_loss"], -row_logp / row_tokens, 1e-6);
  EXPECT_NEAR(step["loss"], std::log(2.0) + 0.5 * nll / 4 - 2 * row_logp / row_tokens, 1e-6);
  const auto plain = Train(OptionsOf(Method::kDpo))[0];
  EXPECT_FALSE(plain.contains("nll") || plain.contains("sft_loss"));
}

// With beta 0 a pair's own gradient is 0: what is left must be SFT's.
TEST_F(MixTest, GradientsOfRowsAreThoseOfSft) {
  TrainerOptions mixed = Mixed();
  mixed.beta = mixed.nll_weight = 0;
  mixed.sft_weight = 1;
  TrainerOptions sft = OptionsOf(Method::kSft);
  sft.model = mixed.model;
  sft.global_batch = 2;
  mixed.learning_rate = mixed.final_learning_rate = sft.learning_rate;
  mixed.max_steps = sft.max_steps = 3;
  auto theirs = Train(sft);
  for (auto& row : theirs) row["loss"] = row["loss"].get<double>() + std::log(2.0);
  ExpectSameSteps(Train(mixed), theirs, {"loss", "grad_norm"}, 1e-6, 1e-5);
}

TEST_F(MixTest, GradientsOfNllAreThoseOfSftOnTheChosenAnswers) {
  TrainerOptions dpo = OptionsOf(Method::kDpo);
  std::vector<nlohmann::json> chosen;
  for (nlohmann::json row : ReadRows(dpo.data[0])) {
    row["completion"] = row["chosen"];
    chosen.push_back(row);
  }
  TrainerOptions sft = dpo;
  sft.method = Method::kSft;
  sft.data = {Write("chosen.jsonl", chosen)};
  dpo.beta = 0;
  dpo.nll_weight = 1;
  dpo.global_batch = sft.global_batch = 1;  // means over one answer and over its tokens are the same
  dpo.max_steps = sft.max_steps = 3;
  NameOutputs(sft, "sft");
  auto theirs = Train(sft);
  for (auto& row : theirs) {
    row["nll"] = row["loss"];
    row["loss"] = row["loss"].get<double>() + std::log(2.0);
  }
  ExpectSameSteps(Train(dpo), theirs, {"loss", "grad_norm", "nll"}, 1e-6, 1e-5);
}

TEST_F(MixTest, AnyNumberOfRanksGivesTheSameSteps) {
  TrainerOptions options = Mixed();
  options.shuffle = true;
  options.global_batch = 3;
  const auto one = Train(options);
  for (const int ranks : {2, 4}) {
    for (const int64_t tokens : {1, 100000}) {
      options.micro_batch_tokens = tokens;
      const auto many = Train(options, ranks);
      ExpectStepsOfOneJob(many, one, true);
      ExpectSameSteps(many, one, {"nll"}, 0, 5e-5);
      for (size_t step = 0; step < one.size(); ++step) {
        ASSERT_EQ(many[step].contains("sft_loss"), one[step].contains("sft_loss"));
        if (one[step].contains("sft_loss")) {
          EXPECT_NEAR(many[step]["sft_loss"], one[step]["sft_loss"], 1e-4);
        }
      }
    }
  }
}

/// Asks to stop after the second step.
class StopAfterTwo : public Reporter {
 public:
  Result<bool> Step(const StepValues& values) override { return values.step == 1; }
  Status Done(const JobResult&) override { return OkStatus(); }
  void Stopped(int64_t, bool, const std::string&) override {}
  void Note(const std::string&) override {}
  void Failed(const Status&) override {}
};

TEST_F(MixTest, AStoppedJobGoesOnToTheBitsOfOneThatIsNot) {
  for (const int ranks : {1, 2}) {
    TrainerOptions options = Mixed();
    options.shuffle = true;
    options.max_steps = 8;
    const auto calm = Train(options, ranks);
    NameOutputs(options, "stopped" + std::to_string(ranks));
    StopAfterTwo reporter;
    EXPECT_EQ(RunOnThreads(options, ranks, &reporter).status.code(), Code::kCancelled);
    EXPECT_EQ(StepRows(options.log).size(), 2u);
    ExpectSameSteps(Train(options, ranks), calm, kKeys, 0, 0);
  }
}

TEST_F(MixTest, ACheckpointOfAnotherMixIsRefused) {
  for (const std::string changed : {"nll_weight", "sft_share", "sft_weight", "data"}) {
    TrainerOptions options = Mixed();
    NameOutputs(options, changed);
    StopAfterTwo reporter;
    EXPECT_EQ(RunOnThreads(options, 1, &reporter).status.code(), Code::kCancelled);
    if (changed == "nll_weight") options.nll_weight = 0.25;
    if (changed == "sft_share") options.sft_share = 0.25;
    if (changed == "sft_weight") options.sft_weight = 1;
    if (changed == "data") options.sft_data = {Write("one.jsonl", {ReadRows(options.sft_data[0])[0]})};
    const JobEnd end = RunOnThreads(options, 1);
    EXPECT_EQ(end.status.code(), Code::kFailedPrecondition);
    EXPECT_NE(end.status.message().find(changed), std::string::npos) << end.status.message();
  }
}

}  // namespace
}  // namespace srlm::trainer
