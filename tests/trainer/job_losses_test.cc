// Losses of pairs other than plain DPO: against TRL's stored steps, on any number of ranks, and with labels that rows
// bring.
#include "common/model/safetensors.h"
#include "tests/trainer/job_fixture.h"

namespace srlm::trainer {
namespace {

class LossesTest : public JobTest {
 protected:
  static void Set(TrainerOptions& options, const nlohmann::json& flags) {
    for (const auto& [flag, value] : flags.items()) {
      if (flag == "loss") options.loss = value;
      if (flag == "beta") options.beta = value;
      if (flag == "label-smoothing") options.label_smoothing = value;
      if (flag == "length-normalised") options.length_normalised = value;
      if (flag == "nll-weight") options.nll_weight = value;
      if (flag == "global-batch") options.global_batch = value;
    }
  }
  /// The pairs, each with this chosen_probability, and turned around when asked.
  std::string Labelled(double probability, bool turned) {
    const std::string path = folder_ + "/labelled.jsonl";
    std::ofstream file(path);
    for (nlohmann::json row : ReadRows(OptionsOf(Method::kDpo).data[0])) {
      if (turned) std::swap(row["chosen"], row["rejected"]);
      row["chosen_probability"] = probability;
      file << row << "\n";
    }
    return path;
  }
};

TEST_F(LossesTest, DropoutIsTheSameOnAnyNumberOfRanksAndNotInTheReference) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  const auto plain = Train(options);
  options.dropout = 0.1;
  const auto one = Train(options);
  EXPECT_GT(std::abs(one[0]["margin"].get<double>()), 1e-4);  // the reference's forward dropped nothing
  EXPECT_NE(one[0]["loss"], plain[0]["loss"]);
  options.micro_batch_tokens = 1;
  ExpectStepsOfOneJob(Train(options, 3), one, true);
  options.seed = 2;
  EXPECT_NE(Train(options)[0]["loss"], one[0]["loss"]);
}

TEST_F(LossesTest, StepsAreThoseOfTrl) {
  const auto variants = ReadJson(Reference("data/dpo_variants.json"))["variants"];
  ASSERT_EQ(variants.size(), 5u);
  for (const auto& [name, variant] : variants.items()) {
    SCOPED_TRACE(name);
    TrainerOptions options = OptionsOf(Method::kDpo);
    Set(options, variant["ours"]);
    const auto rows = Train(options);
    ExpectSameSteps(rows, variant["steps"], {"loss", "grad_norm", "logp_chosen", "logp_rejected"}, 1e-4, 1e-3);
    // Before anything was trained only the loss itself can differ.
    ExpectSameSteps({rows[0]}, {variant["steps"][0]}, {"loss", "grad_norm"}, 0, 1e-4);
  }
}

/// On two ranks that hold the model in parts, too.
TEST_F(LossesTest, StepsOfAdaptersAreThoseOfPeftInTrl) {
  const auto stored = ReadJson(Reference("data/dpo_lora.json"));
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.lora = {.rank = stored["settings"]["lora-rank"],
                  .alpha = stored["settings"]["lora-alpha"],
                  .targets = {config::LoraTarget::kQuery, config::LoraTarget::kKey, config::LoraTarget::kValue,
                              config::LoraTarget::kOutput, config::LoraTarget::kGate, config::LoraTarget::kUp,
                              config::LoraTarget::kDown}};
  options.lora_save = config::LoraSave::kAdapter;
  options.learning_rate = stored["settings"]["learning_rate"];
  options.seed = stored["settings"]["seed"];
  options.sharding = config::Sharding::kFull;
  for (const int ranks : {1, 2}) {
    NameOutputs(options, "lora" + std::to_string(ranks));
    ASSERT_TRUE(RunOnThreads(options, ranks).status.ok());
    const auto rows = StepRows(options.log);
    ExpectSameSteps(rows, stored["steps"], {"loss", "grad_norm", "margin", "logp_chosen", "logp_rejected"}, 1e-4, 1e-3);
    EXPECT_NEAR(rows[0]["loss"].get<double>(), std::log(2.0), 1e-6);
    const auto saved = model::SafetensorsFile::Open(options.out + "/adapter_model.safetensors");
    ASSERT_TRUE(saved.ok()) << saved.status().message();
    EXPECT_EQ(saved->tensors().size(), stored["norms"].size());
    for (const auto& [name, norm] : stored["norms"].items()) {
      ASSERT_TRUE(saved->tensors().contains(name)) << name;
      std::vector<float> values(static_cast<size_t>(saved->tensors().at(name).elements()));
      saved->Read(name, values);
      double squares = 0;
      for (const float value : values) squares += static_cast<double>(value) * value;
      EXPECT_NEAR(std::sqrt(squares), norm.get<double>(), 1e-3 * (1 + norm.get<double>())) << name;
    }
  }
}

TEST_F(LossesTest, AnyNumberOfRanksGivesTheSameSteps) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.data = {Labelled(0.8, false)};
  options.loss = "ipo";
  options.length_normalised = true;
  options.label_smoothing = 0.1;
  options.global_batch = 3;
  const auto one = Train(options);
  for (const int ranks : {2, 4}) ExpectStepsOfOneJob(Train(options, ranks), one, true);
}

TEST_F(LossesTest, AProbabilityOfARowIsASmoothedLabelOrTheOtherWayRound) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.label_smoothing = 0.25;
  const auto smoothed = Train(options);
  options.label_smoothing = 0;
  options.data = {Labelled(0.75, false)};
  ExpectSameSteps(Train(options), smoothed, {"loss", "grad_norm", "margin"}, 1e-9, 1e-9);
  options.data = {Labelled(0.25, true)};  // chosen is probably the worse one
  ExpectSameSteps(Train(options), smoothed, {"loss", "grad_norm"}, 1e-6, 1e-5);
}

TEST_F(LossesTest, ACheckpointOfAnotherLossIsRefused) {
  TrainerOptions options = OptionsOf(Method::kDpo);
  options.checkpoint_steps = 2;
  ASSERT_TRUE(RunOnThreads(options, 1).status.ok());
  std::filesystem::remove_all(options.out);
  const auto refused = [&](TrainerOptions other, const std::string& what) {
    const JobEnd end = RunOnThreads(other, 1);
    EXPECT_EQ(end.status.code(), Code::kFailedPrecondition);
    EXPECT_NE(end.status.message().find(what), std::string::npos) << end.status.message();
  };
  TrainerOptions other = options;
  other.loss = "ipo";
  refused(other, "loss is sigmoid there and ipo now");
  other = options;
  other.label_smoothing = 0.1;
  refused(other, "label_smoothing");
  other = options;
  other.length_normalised = true;
  refused(other, "length_normalised");
  other = options;
  other.data = {Labelled(0.5, false)};
  refused(other, "the data is other data");
}

}  // namespace
}  // namespace srlm::trainer
