// Reading, checking, printing and comparing configurations.
#include "common/config/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/config/health_rule.h"

namespace srlm::config {
namespace {

namespace fs = std::filesystem;

constexpr char kLeast[] = "model: /models/m0\ndata:\n  ift: /data/ift.jsonl\n";

Result<RunConfig> ParseText(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return Parse(yaml, "run.yaml", "/configs", overrides);
}

std::string Failure(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  const Result<RunConfig> result = ParseText(yaml, overrides);
  return result.ok() ? "no failure" : result.status().message();
}

void ExpectContains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in:\n" << text;
}

TEST(Config, DefaultsAreThePapers) {
  const Result<RunConfig> config = ParseText(kLeast);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->generation.samples, 4);
  EXPECT_EQ(config->generation.temperature, 0.7);
  EXPECT_EQ(config->generation.top_p, 0.9);
  EXPECT_EQ(config->judge.votes, 3);
  EXPECT_EQ(config->prompts.temperature, 0.6);
  EXPECT_EQ(config->prompts.demonstrations_seed, 6);
  EXPECT_EQ(config->prompts.demonstrations_generated, 2);
  EXPECT_EQ(config->prompts.blacklist.size(), 13u);
  EXPECT_EQ(config->sft.learning_rate, 5.5e-6);
  EXPECT_EQ(config->sft.final_learning_rate, 1.1e-6);
  EXPECT_EQ(config->dpo.learning_rate, 1e-6);
  EXPECT_EQ(config->dpo.final_learning_rate, 1e-7);
  EXPECT_EQ(config->dpo.beta, 0.1);
  EXPECT_EQ(config->dpo.global_batch, 16);
  EXPECT_EQ(config->run.iterations, 2);
}

TEST(Config, ReadsEveryKindOfValue) {
  const Result<RunConfig> config =
      ParseText(std::string(kLeast) +
                "name: trial-1\nseed: 7\nspecial_tokens_in_text: parse\n"
                "prompts:\n  blacklist: [graph, 'go to']\n"
                "sft: {activation_checkpointing: block, epochs: 1.5, learning_rate: 1e-4}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->name, "trial-1");
  EXPECT_EQ(config->seed, 7u);
  EXPECT_EQ(config->special_tokens_in_text, SpecialTokensInText::kParse);
  EXPECT_EQ(config->prompts.blacklist, (std::vector<std::string>{"graph", "go to"}));
  EXPECT_EQ(config->sft.activation_checkpointing, ActivationCheckpointing::kBlock);
  EXPECT_EQ(config->sft.epochs, 1.5);
  EXPECT_EQ(config->sft.learning_rate, 1e-4);
}

TEST(Config, UnknownKeyNamesFileLineAndNearestKey) {
  EXPECT_EQ(Failure(std::string(kLeast) + "generation:\n  smaples: 3\n"),
            "run.yaml:5: unknown key 'smaples' in generation; did you mean 'samples'?");
  EXPECT_EQ(Failure(std::string(kLeast) + "genration:\n  samples: 3\n"),
            "run.yaml:4: unknown key 'genration' at the top level; did you mean 'generation'?");
  ExpectContains(Failure(std::string(kLeast) + "beta: 0.2\n"),
                 "run.yaml:4: unknown key 'beta' at the top level; did you mean dpo.beta?");
}

TEST(Config, WrongTypeSaysWhatWasFoundAndWanted) {
  const struct {
    const char* yaml;
    const char* message;
  } cases[] = {
      {"generation: {samples: four}", "run.yaml:4: generation.samples: wanted a whole number, found text 'four'"},
      {"generation: {samples: '4'}", "generation.samples: wanted a whole number, found text '4'"},
      {"generation: {samples: 2.5}", "generation.samples: wanted a whole number, found the number 2.5"},
      {"generation: {samples: 99999999999}", "generation.samples: wanted a whole number"},
      {"generation: {samples: [4]}", "wanted a whole number, found a list"},
      {"generation: {samples: }", "wanted a whole number, found nothing"},
      {"generation: 4", "run.yaml:4: generation is a section"},
      {"dpo: {beta: .nan}", "dpo.beta: wanted a number"},
      {"trainer: {trace: yes}", "trainer.trace: wanted true or false, found text 'yes'"},
      {"dpo: {reference: other}", "dpo.reference: wanted auto or sampler or trainer, found text 'other'"},
      {"prompts: {blacklist: draw}", "prompts.blacklist: wanted a list of texts, found text 'draw'"},
      {"seed: -1", "seed: wanted a whole number"},
  };
  for (const auto& each : cases) ExpectContains(Failure(std::string(kLeast) + each.yaml + "\n"), each.message);
}

TEST(Config, OutOfRangeNamesTheLimits) {
  EXPECT_EQ(Failure(std::string(kLeast) + "generation:\n  top_p: 1.5\n"),
            "run.yaml:5: generation.top_p: 1.5 is out of range, wanted 0.001 to 1");
  ExpectContains(Failure(std::string(kLeast) + "judge: {votes: 0}\n"), "0 is out of range, wanted 1 to 1024");
}

TEST(Config, EveryProblemIsShownUpToAFew) {
  const std::string message =
      Failure(std::string(kLeast) + "generation: {samples: x, top_p: 2}\njudge: {votes: 0, a: 1}\n");
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 3);
}

TEST(Config, BrokenYamlIsAMessageWithItsLine) {
  ExpectContains(Failure("model: [a\n"), "run.yaml:");
  ExpectContains(Failure("- a\n- b\n"), "run.yaml: wanted `key: value` lines, found a list");
  ExpectContains(Failure("a: 1\n---\nb: 2\n"), "one YAML document, found something after it");
  EXPECT_FALSE(ParseText(", # a stray mark at the start\nmodel: /m\n").ok());
  EXPECT_FALSE(ParseText(std::string("]\n") + kLeast).ok());
  ExpectContains(Failure(std::string(kLeast) + "seed: 1\nseed: 2\n"), "run.yaml:5: seed is set twice");
  ExpectContains(Failure(std::string(kLeast) + "? [a]\n: 1\n"), "wanted a key, found a list");
  EXPECT_FALSE(ParseText(std::string(3000, '[')).ok());
  EXPECT_FALSE(ParseText("a: &x [*x]\n").ok());
  EXPECT_FALSE(ParseText(std::string("\0\xff\xfe", 3)).ok());
}

TEST(Config, OverridesWinAndAreCheckedAlike) {
  const Result<RunConfig> config =
      ParseText(kLeast, {"generation.samples=6", "name=other", "prompts.blacklist=[a b, c]", "judge.template="});
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->generation.samples, 6);
  EXPECT_EQ(config->name, "other");
  EXPECT_EQ(config->prompts.blacklist.size(), 2u);
  EXPECT_EQ(Failure(kLeast, {"generation.smaples=3"}),
            "--set generation.smaples=3: unknown key 'smaples' in generation; did you mean 'samples'?");
  EXPECT_EQ(Failure(kLeast, {"a.b.c.d.e.f.g.h.i.j=3"}),
            "--set a.b.c.d.e.f.g.h.i.j: no such key; one is a name or section.name");
  EXPECT_EQ(Failure(kLeast, {"samples=3"}),
            "--set samples=3: unknown key 'samples' at the top level; did you mean generation.samples?");
  ExpectContains(Failure(kLeast, {"generation.samples"}), "wanted key=value");
  ExpectContains(Failure(kLeast, {"=3"}), "wanted key=value");
  ExpectContains(Failure(kLeast, {"generation=3"}), "generation is a section");
  ExpectContains(Failure(kLeast, {"generation.samples=1"}),
                 "--set generation.samples=1: generation.samples: 1 is out of range");
  ExpectContains(Failure(kLeast, {"generation.samples.x=1"}),
                 "generation.samples: wanted a whole number, found a section");
  ExpectContains(Failure(kLeast, {"generation.samples=[1"}), "--set generation.samples=[1: not valid YAML");
  ExpectContains(Failure(kLeast, {"generation..samples=1"}), "unknown key");
}

TEST(Config, ALauncherMayBeNamedInAWord) {
  for (const char* yaml : {"launcher: none\n", "launcher: {kind: none}\n"}) {
    const Result<RunConfig> config = ParseText(std::string(kLeast) + yaml);
    ASSERT_TRUE(config.ok()) << config.status().message();
    EXPECT_EQ(config->launcher.kind, LauncherKind::kNone) << yaml;
  }
  EXPECT_EQ(ParseText(kLeast, {"launcher=none"})->launcher.kind, LauncherKind::kNone);
}

TEST(Config, RulesBetweenFieldsNameThePlaceToChange) {
  const struct {
    const char* yaml;
    const char* message;
  } cases[] = {
      {"prompts: {per_round: 8, new_per_round: 9}", "run.yaml:4: prompts.new_per_round: 9 is more than"},
      {"prompts: {per_round: 8, new_per_round: 4}", "data.prompts: is empty, but a round takes 4 given prompts"},
      {"prompts: {min_words: 9, max_words: 5}", "prompts.min_words: 9 is more than"},
      {"dpo: {learning_rate: 1e-6, final_learning_rate: 1e-5}", "dpo.final_learning_rate: 1e-05 is more than"},
      {"generation: {temperature: 0}", "generation.temperature: 0 makes all candidates"},
      {"judge: {temperature: 0}", "judge.temperature: 0 makes all votes equal"},
      {"security: off\ncoordinator: {address: '0.0.0.0:80'}", "'0.0.0.0' is not a loopback address"},
      {"coordinator: {address: here}", "is not host:port"},
      {"coordinator: {address: '127.0.0.1:99999'}", "is not host:port"},
      {"workers: {page_tokens: 24}", "run.yaml:4: workers.page_tokens: 24 is not a multiple of 16"},
      {"launcher: {command: 'mpirun {program}'}", "launcher.command: {ranks} is missing"},
      {"launcher: {command: 'mpirun -n {ranks} {program} {hosts}'}", "'{hosts}' is not known"},
      {"launcher: nobody", "launcher.kind: wanted local or slurm or none, found text 'nobody'"},
      {"launcher: {hosts: [a, b]}\ncoordinator: {address: '0.0.0.0:0'}", "launcher.profile: `laptop` keeps ranks"},
      {"launcher: slurm", "'127.0.0.1:0' cannot be reached from the job's other nodes"},
      {"launcher: {kind: slurm, command: 'srun --hosts {hostfile} -n {ranks} {program}'}",
       "'{hostfile}' is not known; there are {ranks}, {program}, {name}, {nodes}, {nodelist}, {cpus}"},
      {"workers: {hosts: [a]}\nlauncher: {profile: cluster}", "'127.0.0.1:0' cannot be reached from the hosts"},
      {"launcher: {command: 'mpirun --hostfile {hostfile} -n {ranks} {program}'}", "no hosts are named"},
      {"launcher: {profile: cluster, hosts: [a], command: 'mpirun -n {ranks} {program}'}", "has no {hostfile}"},
      {"name: ../x", "name: '../x' cannot name a folder"},
      {"evaluation: {verdict: sampled, sampled_votes: 0}", "evaluation.sampled_votes: 0 leaves nothing"},
  };
  for (const auto& each : cases) ExpectContains(Failure(std::string(kLeast) + each.yaml + "\n"), each.message);
  ExpectContains(Failure(""), "run.yaml: model: is missing");
  ExpectContains(Failure("model: /m\n"), "data.ift: is missing");
}

TEST(Config, AJudgeProgramGoesWithItsVerdict) {
  ExpectContains(Failure(kLeast, {"judge.verdict=program"}), "judge.program: is missing");
  ExpectContains(Failure(kLeast, {"judge.program=[score]"}), "judge.program: would not be used: set judge.verdict");
  ExpectContains(Failure(kLeast, {"judge.verdict=program", "judge.program=[score]", "judge.model=/other"}),
                 "judge.model: would not be used");
  ExpectContains(Failure(kLeast, {"evaluation.verdict=program"}), "evaluation.verdict");
  EXPECT_TRUE(ParseText(kLeast, {"judge.verdict=program", "judge.program=[score]"}).ok());
}

TEST(Config, YamlIsReadBackEqual) {
  const Result<RunConfig> config =
      ParseText(std::string(kLeast) +
                "chat_template: \"/a b/\\\"q\\\"\\\\\\n\\u00e9.jinja\"\ndpo: {beta: 0.30000000000000004}\n"
                "launcher: {command: \"srun -n {ranks} {program}\"}\nprompts: {blacklist: []}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const Result<RunConfig> again = ParseText(ToYaml(*config));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(ToYaml(*again), ToYaml(*config));
  EXPECT_TRUE(Differences(*config, *again).empty());
  EXPECT_TRUE(again->prompts.blacklist.empty());
}

TEST(Config, DifferencesSayWhichWouldMixResults) {
  const Result<RunConfig> before = ParseText(kLeast);
  const Result<RunConfig> after = ParseText(kLeast, {"generation.samples=6", "workers.threads=2"});
  ASSERT_TRUE(before.ok() && after.ok());
  const std::vector<Difference> differences = Differences(*before, *after);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].key, "generation.samples");
  EXPECT_EQ(differences[0].before, "4");
  EXPECT_EQ(differences[0].after, "6");
  EXPECT_TRUE(differences[0].mixes_results);
  EXPECT_EQ(differences[1].key, "workers.threads");
  EXPECT_FALSE(differences[1].mixes_results);
}

class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "srlm_config_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  fs::path folder_;
};

TEST_F(ConfigFiles, PathsAreTakenFromTheConfigurationsFolderAndExpanded) {
  setenv("SRLM_TEST_FOLDER", "/somewhere", 1);
  unsetenv("SRLM_TEST_UNSET");
  Write("data/ift.jsonl", "{}\n");
  const std::string path = Write("run.yaml",
                                 "model: ${SRLM_TEST_FOLDER}/m\nprompts: {writer: base}\njudge: {model: policy}\n"
                                 "data:\n  ift: data/../data/ift.jsonl\n  eft: ${SRLM_TEST_UNSET:-~/x}/eft.jsonl\n");
  const Result<RunConfig> config = Load(path);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->model, "/somewhere/m");
  EXPECT_EQ(config->data.ift, (folder_ / "data/ift.jsonl").string());
  EXPECT_EQ(config->data.eft, std::string(getenv("HOME")) + "/x/eft.jsonl");
  EXPECT_EQ(config->prompts.writer, "base");
  EXPECT_EQ(config->judge.model, "policy");
  const Result<RunConfig> unset = Load(path, {"model=${SRLM_TEST_UNSET}/m"});
  ASSERT_FALSE(unset.ok());
  ExpectContains(unset.status().message(), "SRLM_TEST_UNSET is not set");
  // What a run stores is read again, where such a rest would be a variable.
  const Result<RunConfig> left = Load(path, {"model=/m${SRLM_TEST_UNSET:-${x}"});
  ASSERT_FALSE(left.ok());
  ExpectContains(left.status().message(), "which has '${' in it");
}

TEST_F(ConfigFiles, WordsOfAJudgeProgramThatLookLikePathsAreTakenFromTheConfigurationsFolder) {
  setenv("SRLM_TEST_FOLDER", "/somewhere", 1);
  const std::string path =
      Write("run.yaml", std::string(kLeast) +
                            "judge:\n  verdict: program\n"
                            "  program: [python3, ./score.py, ../x, '${SRLM_TEST_FOLDER}/y', '~', a/b, --z=./c]\n");
  const Result<RunConfig> config = Load(path);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->judge.program, (std::vector<std::string>{"python3", (folder_ / "score.py").string(),
                                                             (folder_.parent_path() / "x").string(), "/somewhere/y",
                                                             getenv("HOME"), "a/b", "--z=./c"}));
  EXPECT_TRUE(Differences(*config, *Parse(ToYaml(*config), "again", "/elsewhere")).empty());
}

TEST_F(ConfigFiles, AFolderOrAMissingFileIsAMessage) {
  EXPECT_FALSE(Load((folder_ / "none.yaml").string()).ok());
  ExpectContains(Load(folder_.string()).status().message(), "is a folder");
  const std::string big = Write("big.yaml", std::string((1 << 20) + 1, '#'));
  ExpectContains(Load(big).status().message(), "larger than");
}

TEST_F(ConfigFiles, CheckInputsNamesWhatIsMissing) {
  Write("m/config.json", "{}");
  Write("ift.jsonl", "{}\n");
  RunConfig config;
  config.model = (folder_ / "m").string();
  config.data.ift = (folder_ / "ift.jsonl").string();
  EXPECT_TRUE(CheckInputs(config).ok()) << CheckInputs(config).message();
  config.model = folder_.string();
  config.data.eft = (folder_ / "none.jsonl").string();
  config.data.evaluation = folder_.string();
  const Status status = CheckInputs(config);
  ExpectContains(status.message(), "model: " + folder_.string() + " is not a model folder");
  ExpectContains(status.message(), "data.eft: " + config.data.eft + " is not there");
  ExpectContains(status.message(), "data.evaluation: " + folder_.string() + " is a folder");
}

TEST(Config, HealthRulesAreReadAndBadOnesNamed) {
  const auto rule = ParseHealthRule(" tie_rate>0.8 :pause ");
  ASSERT_TRUE(rule.ok()) << rule.status().message();
  EXPECT_EQ(rule->figure, "tie_rate");
  EXPECT_EQ(rule->action, HealthAction::kPause);
  EXPECT_TRUE(rule->Broken(0.81));
  EXPECT_FALSE(rule->Broken(0.8));
  EXPECT_TRUE(ParseHealthRule("judge_accuracy_change < -0.05: stop")->Broken(-0.06));
  const std::string yaml = std::string(kLeast) + "health:\n  rules: ";
  ExpectContains(Failure(yaml + "['tie_rat > 0.8: warn']"), "did you mean 'tie_rate'?");
  ExpectContains(Failure(yaml + "['tie_rate > 0.8']"), "health.rules");
  ExpectContains(Failure(yaml + "['tie_rate > much: warn']"), "'much' is not a number");
  ExpectContains(Failure(yaml + "['tie_rate > nan: warn']"), "is not a number");
  ExpectContains(Failure(yaml + "['tie_rate > 0.8: cry']"), "'cry' is none of warn, pause and stop");
  ExpectContains(Failure(yaml + "['tie_rate: warn']"), "is no rule");
}

TEST(Config, ARuleOnAFigureThatIsNeverMeasuredIsRefusedWithWhatToSet) {
  const auto rule_on = [](const std::string& figure) { return "health.rules=['" + figure + " > 5: stop']"; };
  struct Case {
    const char* figure;
    const char* why;
    const char* mend;
  };
  for (const Case& each : {Case{"kl_from_m0", "health.kl_prompts is 0", "health.kl_prompts=3"},
                           {"order_flip_rate", "data.evaluation_prompts is empty: name a file",
                            "data.evaluation_prompts=/data/prompts.jsonl"},
                           {"judge_accuracy", "data.evaluation is empty: name a file", "data.evaluation=/data/r.jsonl"},
                           {"judge_accuracy_change", "data.evaluation is empty", "data.evaluation=/data/r.jsonl"},
                           {"meta_parse_rate", "meta_judge.enabled is false", "meta_judge.enabled=true"},
                           {"meta_flip_rate", "meta_judge.enabled is false", "meta_judge.enabled=true"},
                           {"meta_first_rate", "meta_judge.enabled is false", "meta_judge.enabled=true"}}) {
    ExpectContains(Failure(kLeast, {rule_on(each.figure)}),
                   fmt::format("health.rules: '{} > 5: stop' would not be used: {}", each.figure, each.why));
    EXPECT_TRUE(ParseText(kLeast, {rule_on(each.figure), each.mend}).ok()) << each.figure;
  }
  const auto refused = [&](const char* figure, const char* setting) {
    EXPECT_TRUE(ParseText(kLeast, {rule_on(figure)}).ok()) << figure;
    return Failure(kLeast, {rule_on(figure), setting});
  };
  ExpectContains(refused("vote_variance", "judge.votes=1"), "judge.votes is 1");
  ExpectContains(refused("vote_variance", "judge.verdict=expected"), "set it to sampled or digit");
  ExpectContains(refused("commonest_score_rate", "judge.verdict=expected"), "write a rule on tie_rate");
  ExpectContains(refused("chosen_logp_change", "pairs.rule=positive"), "set another rule");
  ExpectContains(refused("rejected_logp_change", "dpo.epochs=0"), "dpo.epochs is 0");
  // Nobody wrote the default's rules: one that waits for a figure is no mistake, also when a run's own file is read.
  const auto usual = ParseText(kLeast, {"judge.verdict=expected"});
  ASSERT_TRUE(usual.ok()) << usual.status().message();
  EXPECT_TRUE(ParseText(ToYaml(*usual)).ok()) << Failure(ToYaml(*usual));
}

TEST(Config, SeedRowsAreMixedInOnlyWhereThereAreSome) {
  ExpectContains(Failure(std::string(kLeast) + "dpo: {mix: eft}"), "data.eft names no file");
  ExpectContains(Failure(std::string(kLeast) + "dpo: {mix: both}"), "data.eft names no file");
  ExpectContains(Failure(std::string(kLeast) + "dpo: {mix: ift, mix_share: 0}"), "dpo.mix_share");
  ExpectContains(Failure(std::string(kLeast) + "dpo: {mix: ift, mix_weight: 0}"), "dpo.mix_weight");
  EXPECT_TRUE(ParseText(std::string(kLeast) + "dpo: {mix: ift}").ok());
}

TEST(Config, SavedModelsAreChosenFromByPromptsOfTheirOwn) {
  const std::string yaml = std::string(kLeast) + "  validation_prompts: /data/validation.jsonl\n";
  EXPECT_TRUE(ParseText(yaml + "dpo: {selection_steps: 200}").ok());
  EXPECT_TRUE(ParseText(yaml + "dpo: {selection_steps: 200}\nevaluation: {judge: /models/judge}").ok());
  ExpectContains(Failure(yaml), "data.validation_prompts: would not be used: set dpo.selection_steps");
  ExpectContains(Failure(std::string(kLeast) + "dpo: {selection_steps: 200}"),
                 "data.validation_prompts: is empty, and dpo.selection_steps: 200 chooses");
  ExpectContains(Failure(yaml + "dpo: {selection_steps: 200}\npairs: {rule: positive}"),
                 "dpo.selection_steps: chooses");
}

TEST(Config, WhatIsAboutPairsIsRefusedWhereThereAreNone) {
  const std::string positive = std::string(kLeast) + "pairs: {rule: positive";
  ExpectContains(Failure(positive + ", soft_labels: cream}"), "pairs.soft_labels");
  ExpectContains(Failure(positive + ", earlier_share: 0.2}"), "pairs.earlier_share");
  ExpectContains(Failure(positive + "}\ndpo: {mix: ift}"), "dpo.mix");
  EXPECT_TRUE(ParseText(positive + ", positive_min_score: 4}").ok());
  ExpectContains(Failure(std::string(kLeast) + "pairs: {rule: length-controlled, rho: 0.5}"), "pairs.rho");
}

TEST(Config, JudgementsAreComparedOnlyWhereTheModelWritesSeveral) {
  const std::string meta = std::string(kLeast) + "meta_judge: {enabled: true}\n";
  EXPECT_TRUE(ParseText(meta).ok());
  EXPECT_FALSE(ParseText(kLeast)->meta_judge.enabled);
  for (const char* verdict : {"digit", "expected"})
    ExpectContains(
        Failure(meta + "judge: {verdict: " + verdict + "}"),
        fmt::format("meta_judge.enabled: compares the texts of judgements, and judge.verdict: {} gives none", verdict));
  ExpectContains(Failure(meta + "judge: {verdict: program, program: [./score]}"), "judge.verdict: program gives none");
  ExpectContains(Failure(meta + "judge: {votes: 1}"), "judge.votes is 1");
  ExpectContains(Failure(meta + "judge: {model: /models/judge}"), "judge.model is another one");
  ExpectContains(Failure(meta + "pairs: {rule: positive}"), "set another rule");
  ExpectContains(Failure(std::string(kLeast) + "meta_judge: {max_share: 1}"), "meta_judge.max_share");
}

}  // namespace
}  // namespace srlm::config
