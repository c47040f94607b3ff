// A run's configuration as a typed struct. Defaults are the paper's (arXiv 2401.10020) where it gives a value.
// What each field means, its limits and whether a run may continue with another value: fields.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/enums.h"

namespace srlm::config {

struct RoundsConfig {
  int iterations = 2;  // rounds of DPO: 2 make M2 and M3
};

struct DataConfig {
  std::string ift;
  std::string eft;
  std::string prompts;
  std::string evaluation;
  std::string evaluation_prompts;
  std::string validation_prompts;
  std::string held_out;
};

struct PromptsConfig {
  int per_round = 5000;
  int new_per_round = 5000;
  int wave_size = 512;
  std::string writer = "policy";  // policy | base | a model folder
  int demonstrations_seed = 6;
  int demonstrations_generated = 2;
  double temperature = 0.6;
  double top_p = 0.9;
  int max_new_tokens = 256;
  double rouge_l_max = 0.7;
  int min_words = 4;
  int max_words = 150;
  std::vector<std::string> blacklist = {"image", "images", "graph", "graphs", "picture", "pictures", "file",
                                        "files", "map",    "maps",  "draw",   "plot",    "go to"};
  int max_attempts_per_new_prompt = 4;
};

struct GenerationConfig {
  int samples = 4;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 1024;
  CutCandidates cut_candidates = CutCandidates::kDrop;
};

struct JudgeConfig {
  std::string judge_template;    // key `template`: a file, or empty for the built-in one
  std::string model = "policy";  // policy | a model folder
  JudgeVerdict verdict = JudgeVerdict::kSampled;
  std::vector<std::string> program;  // with `verdict: program`: the program and its arguments
  double program_timeout_s = 3600;
  int votes = 3;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 256;
  double min_parse_rate = 0.5;
};

/// Pairs of judgements (arXiv 2407.19594): the model compares its own.
struct MetaJudgeConfig {
  bool enabled = false;
  std::string meta_template;  // key `template`: a file, or empty for the built-in one
  VerdictKind verdict = VerdictKind::kSampled;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 256;
  int max_prompts = 0;  // 0: all
  double max_share = 0.15;
  int max_chosen_tokens = 200;
};

struct EvaluationConfig {
  VerdictKind verdict = VerdictKind::kExpected;
  int sampled_votes = 1;
  bool allow_overlap = false;
  // The models' own answers to data.evaluation_prompts, and their comparison.
  double temperature = 0;
  double top_p = 1;
  int max_new_tokens = 512;
  std::string judge = "policy";  // the newer of the two models, or a folder
  std::string pairwise_template;
  VerdictKind comparison = VerdictKind::kExpected;
  int comparison_votes = 3;
};

struct PairsConfig {
  PairRule rule = PairRule::kExtremes;
  double rho = 0.2;
  double min_gap = 0.0;
  int max_per_prompt = 1;
  Anchor anchor = Anchor::kM1;
  int anchor_samples = 4;
  double positive_min_score = 5;
  SoftLabels soft_labels = SoftLabels::kNone;
  double earlier_share = 0.0;
  int min_pairs_per_round = 3;
};

/// What SFT and DPO share.
struct OptimiserConfig {
  double learning_rate = 0;
  double final_learning_rate = 0;
  Schedule schedule = Schedule::kCosine;
  double warmup_ratio = 0.0;
  double epochs = 1;
  int global_batch = 16;
  double weight_decay = 0.1;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.95;
  double max_grad_norm = 1.0;
  double dropout = 0.0;
  int micro_batch_tokens = 4096;
  ActivationCheckpointing activation_checkpointing = ActivationCheckpointing::kNone;
};

struct LoraConfig {
  int rank = 0;  // 0: the model itself is trained
  double alpha = 16;
  std::vector<std::string> targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
};

struct SftConfig : OptimiserConfig {
  SftConfig() {
    learning_rate = 5.5e-6;
    final_learning_rate = 1.1e-6;
  }
};

struct DpoConfig : OptimiserConfig {
  DpoConfig() {
    learning_rate = 1e-6;
    final_learning_rate = 1e-7;
  }
  PairLoss loss = PairLoss::kSigmoid;
  double beta = 0.1;
  double label_smoothing = 0.0;
  bool length_normalised = false;
  Reference reference = Reference::kAuto;
  double nll_weight = 0.0;
  Mix mix = Mix::kNone;
  double mix_share = 0.5;
  double mix_weight = 1.0;
  int selection_steps = 0;  // 0: a job's last model is its round's
};

struct HealthConfig {
  std::vector<std::string> rules = {"parse_rate < 0.8: warn",
                                    "tie_rate > 0.8: warn",
                                    "commonest_score_rate > 0.9: warn",
                                    "length_correlation > 0.7: warn",
                                    "length_drift > 2: warn",
                                    "duplicate_rate > 0.5: warn",
                                    "judge_accuracy_change < -0.05: warn"};
  int kl_prompts = 0;  // of a round, whose first candidate is looked at under M0, too
};

struct WorkersConfig {
  int replicas = 1;
  int tensor_parallel = 1;
  int threads = 0;  // 0: the host's cores divided by the ranks on it
  int max_batch = 32;
  std::vector<std::string> hosts;  // of the replicas, in turn; empty: launcher.hosts
  double rank_timeout_s = 600;
  int kv_cache_mib = 1024;
  int prefill_chunk_tokens = 256;
  int page_tokens = 16;
  bool same_arithmetic = true;
};

struct TrainerConfig {
  int ranks = 2;
  std::vector<std::string> hosts;  // empty: launcher.hosts
  int threads = 0;                 // 0: the host's cores divided by the ranks on it
  Sharding sharding = Sharding::kNone;
  bool trace = false;
  int checkpoint_steps = 200;
  int keep_checkpoints = 2;
  double rank_timeout_s = 600;
  double silence_timeout_s = 1800;
  double stop_timeout_s = 120;
};

struct CoordinatorConfig {
  std::string address = "127.0.0.1:0";
  std::string advertise;  // a host or host:port; empty: as it listens
  int lease_items = 32;
  double lease_timeout_s = 120;
  int commit_ms = 10;
  int commit_results = 256;
  int max_item_tries = 3;
  double relaunch_backoff_s = 1;
  double relaunch_backoff_max_s = 60;
  int max_relaunches = 8;
  double orphan_timeout_s = 300;
  int min_free_mib = 256;
};

struct LauncherConfig {
  static constexpr char kShortKey[] = "kind";  // `launcher: none` says the same as `launcher: {kind: none}`
  LauncherKind kind = LauncherKind::kLocal;
  LauncherProfile profile = LauncherProfile::kLaptop;
  std::string command;             // empty: the profile's own; else with {ranks} and {program}, {hostfile} where wanted
  std::vector<std::string> hosts;  // `name` or `name:slots`; empty: the coordinator's host
  std::string rsh_agent;           // empty: mpirun's own, ssh
  double register_timeout_s = 120;
  double drain_s = 300;
};

/// Everything a run is configured by. Paths are absolute after Load.
struct RunConfig {
  std::string name = "run";
  uint64_t seed = 1;
  std::string model;
  SpecialTokensInText special_tokens_in_text = SpecialTokensInText::kText;
  std::string chat_template;
  Security security = Security::kTls;
  Device device = Device::kCpu;
  Dtype dtype = Dtype::kAuto;
  RoundsConfig run;
  DataConfig data;
  PromptsConfig prompts;
  GenerationConfig generation;
  JudgeConfig judge;
  MetaJudgeConfig meta_judge;
  EvaluationConfig evaluation;
  PairsConfig pairs;
  SftConfig sft;
  DpoConfig dpo;
  LoraConfig lora;
  HealthConfig health;
  WorkersConfig workers;
  TrainerConfig trainer;
  CoordinatorConfig coordinator;
  LauncherConfig launcher;
};

/// Where DPO's reference log-probabilities come from: on CUDA the engine and the trainer round differently.
inline Reference ReferenceOf(const RunConfig& config) {
  if (config.dpo.reference != Reference::kAuto) return config.dpo.reference;
  return config.device == Device::kCuda ? Reference::kTrainer : Reference::kSampler;
}

/// Where the replicas' groups and a training job's ranks run: their own hosts, or the launcher's; empty: here.
inline const std::vector<std::string>& HostsOf(const WorkersConfig& workers, const LauncherConfig& launcher) {
  return workers.hosts.empty() ? launcher.hosts : workers.hosts;
}
inline const std::vector<std::string>& HostsOf(const TrainerConfig& trainer, const LauncherConfig& launcher) {
  return trainer.hosts.empty() ? launcher.hosts : trainer.hosts;
}

/// Reads a YAML file and then `overrides`, each `a.b=value` (value in YAML), checks every field and every rule
/// between fields. InvalidArgument with one line a problem: `file:line: ...` or `--set a.b=value: ...`.
/// Paths: `~`, `${NAME}` and `${NAME:-default}` are expanded; a relative path is taken from the current folder
/// when something is there, else from the configuration file's folder.
Result<RunConfig> Load(const std::string& path, const std::vector<std::string>& overrides = {});

/// The same from text: `origin` stands for the file's name in messages, `folder` for its folder.
Result<RunConfig> Parse(const std::string& yaml, const std::string& origin, const std::string& folder,
                        const std::vector<std::string>& overrides = {});

/// Whether what the configuration names is there: the model's folder, data files, templates, model folders of
/// writer and judge. NotFound with one line a missing thing: the key, the path, what to do.
Status CheckInputs(const RunConfig& config);

/// Every field as YAML, in the order of the documentation: what is stored with a run. Parse reads it back equal.
std::string ToYaml(const RunConfig& config);

/// One field in which two configurations differ.
struct Difference {
  std::string key;  // a.b
  std::string before;
  std::string after;
  bool mixes_results = false;  // a run that continued with it would hold results of two methods
};

/// The fields in which `after` differs from `before`, in the order of the documentation.
std::vector<Difference> Differences(const RunConfig& before, const RunConfig& after);

/// The tables of docs/configuration.md (Markdown), from the same declarations that parsing reads.
std::string MarkdownTables();

}  // namespace srlm::config
