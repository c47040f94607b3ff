#include "common/config/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/config/health_rule.h"

namespace srlm::config {
namespace {

using Rules = std::vector<BrokenRule>;

bool IsPlainName(const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= 100 && name[0] != '.' && std::all_of(name.begin(), name.end(), plain);
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

void CheckAddress(const std::string& address, Security security, Rules& broken) {
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  int port = -1;
  if (colon != std::string::npos) {
    const char* end = address.data() + address.size();
    const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error != std::errc() || stop != end) port = -1;
  }
  if (port < 0 || port > 65535) {
    broken.push_back({"coordinator.address", fmt::format("'{}' is not host:port, for example 127.0.0.1:0", address)});
  } else if (security == Security::kOff && !IsLoopback(host)) {
    broken.push_back(
        {"coordinator.address",
         fmt::format("'{}' is not a loopback address, and with `security: off` nobody is asked who they are: "
                     "use 127.0.0.1:{}, or `security: tls`",
                     host, port)});
  }
}

void CheckCommand(const LauncherConfig& launcher, Rules& broken) {
  const std::string& command = launcher.command;
  if (command.empty()) return;
  std::vector<std::string> known = {"{ranks}", "{program}", "{hostfile}"};
  if (launcher.kind == LauncherKind::kSlurm)
    known = {"{ranks}", "{program}", "{name}", "{nodes}", "{nodelist}", "{cpus}"};
  for (const char* needed : {"{ranks}", "{program}"})
    if (command.find(needed) == std::string::npos)
      broken.push_back({"launcher.command", fmt::format("{} is missing in '{}'", needed, command)});
  for (size_t open = command.find('{'); open != std::string::npos; open = command.find('{', open + 1)) {
    const std::string name = command.substr(open, command.find('}', open) - open + 1);
    if (std::ranges::find(known, name) == known.end())
      broken.push_back(
          {"launcher.command", fmt::format("'{}' is not known; there are {}", name, fmt::join(known, ", "))});
  }
}

/// Ranks on other hosts must be able to call the coordinator.
void CheckReachable(const CoordinatorConfig& coordinator, const std::string& others, Rules& broken) {
  const std::string& address = coordinator.address;
  if (IsLoopback(address.substr(0, address.rfind(':'))))
    broken.push_back(
        {"coordinator.address", fmt::format("'{}' cannot be reached from {}: use 0.0.0.0:0", address, others)});
}

void CheckHosts(const RunConfig& config, Rules& broken) {
  const LauncherConfig& launcher = config.launcher;
  if (launcher.kind == LauncherKind::kSlurm) return CheckReachable(config.coordinator, "the job's other nodes", broken);
  const auto& workers = HostsOf(config.workers, launcher);
  const auto& trainer = HostsOf(config.trainer, launcher);
  const bool asks = launcher.command.find("{hostfile}") != std::string::npos;
  if (asks && (workers.empty() || trainer.empty()))
    broken.push_back({"launcher.command",
                      "has {hostfile}, and no hosts are named: set launcher.hosts, or write the path of a file"});
  if (workers.empty() && trainer.empty()) return;
  if (launcher.profile == LauncherProfile::kLaptop)
    broken.push_back({"launcher.profile", "`laptop` keeps ranks on this host: with hosts, set it to `cluster`"});
  if (!launcher.command.empty() && !asks)
    broken.push_back({"launcher.command", "has no {hostfile}, so that the hosts that are named would not be used"});
  CheckReachable(config.coordinator, "the hosts that are named", broken);
}

void CheckPrompts(const RunConfig& config, Rules& broken) {
  const PromptsConfig& prompts = config.prompts;
  if (prompts.new_per_round > prompts.per_round)
    broken.push_back({"prompts.new_per_round",
                      fmt::format("{} is more than prompts.per_round, {}", prompts.new_per_round, prompts.per_round)});
  if (prompts.new_per_round < prompts.per_round && config.data.prompts.empty())
    broken.push_back({"data.prompts", fmt::format("is empty, but a round takes {} given prompts: name a file, or set "
                                                  "prompts.new_per_round to {}",
                                                  prompts.per_round - prompts.new_per_round, prompts.per_round)});
  if (prompts.new_per_round > 0 && prompts.demonstrations_seed + prompts.demonstrations_generated == 0)
    broken.push_back({"prompts.demonstrations_seed", "new prompts need at least one example to be written from"});
  if (prompts.min_words > prompts.max_words)
    broken.push_back({"prompts.min_words",
                      fmt::format("{} is more than prompts.max_words, {}", prompts.min_words, prompts.max_words)});
  for (const std::string& word : prompts.blacklist)
    if (std::none_of(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) || c >= 0x80; }))
      broken.push_back({"prompts.blacklist", fmt::format("'{}' has no word in it", word)});
}

/// The most pairs that a prompt can give, or answers to train on.
int MostOfAPrompt(const RunConfig& config) {
  const PairsConfig& pairs = config.pairs;
  const int samples = config.generation.samples;
  switch (pairs.rule) {
    case PairRule::kPositive: return samples;
    case PairRule::kAnchored: return std::min({pairs.max_per_prompt, samples, pairs.anchor_samples});
    default: return std::min(pairs.max_per_prompt, samples / 2);
  }
}

void CheckJudgeProgram(const JudgeConfig& judge, Rules& broken) {
  const bool by_program = judge.verdict == JudgeVerdict::kProgram;
  if (by_program && (judge.program.empty() || judge.program[0].empty()))
    broken.push_back({"judge.program",
                      "is missing: `verdict: program` needs a program and its arguments, for example "
                      "[python3, ./score.py]"});
  if (!by_program && !judge.program.empty())
    broken.push_back({"judge.program", fmt::format("would not be used: set judge.verdict to program instead of {}, or "
                                                   "leave it out",
                                                   NameOf(judge.verdict))});
  if (by_program && judge.model != "policy")
    broken.push_back({"judge.model", "would not be used: with `verdict: program` no model judges"});
}

void CheckSampling(const RunConfig& config, Rules& broken) {
  if (config.generation.temperature == 0)
    broken.push_back(
        {"generation.temperature", "0 makes all candidates of a prompt equal, so that no pair can be made"});
  const bool votes = config.judge.verdict == JudgeVerdict::kSampled || config.judge.verdict == JudgeVerdict::kDigit;
  if (votes && config.judge.temperature == 0 && config.judge.votes > 1)
    broken.push_back({"judge.temperature", "0 makes all votes equal; raise it, or set judge.votes to 1"});
  const EvaluationConfig& evaluation = config.evaluation;
  if (evaluation.comparison == VerdictKind::kSampled && config.judge.temperature == 0 &&
      evaluation.comparison_votes > 1)
    broken.push_back({"evaluation.comparison_votes",
                      "more than 1 are all equal with judge.temperature 0; raise that, or set this to 1"});
  if (evaluation.judge != "policy" && config.data.evaluation_prompts.empty() && config.dpo.selection_steps == 0)
    broken.push_back({"evaluation.judge", "would not be used: data.evaluation_prompts names no file"});
  if (config.evaluation.verdict == VerdictKind::kSampled && config.evaluation.sampled_votes == 0)
    broken.push_back(
        {"evaluation.sampled_votes", "0 leaves nothing to score with, since evaluation.verdict is sampled"});
}

void CheckOptimiser(const std::string& section, const OptimiserConfig& optimiser, Rules& broken) {
  if (optimiser.learning_rate == 0) broken.push_back({section + ".learning_rate", "0 trains nothing"});
  if (optimiser.schedule == Schedule::kCosine && optimiser.final_learning_rate > optimiser.learning_rate)
    broken.push_back({section + ".final_learning_rate",
                      fmt::format("{} is more than {}.learning_rate, {}", optimiser.final_learning_rate, section,
                                  optimiser.learning_rate)});
}

void CheckMix(const RunConfig& config, Rules& broken) {
  const DpoConfig& dpo = config.dpo;
  if (dpo.mix == Mix::kNone) return;
  if (dpo.mix != Mix::kIft && config.data.eft.empty())
    broken.push_back({"dpo.mix", fmt::format("is `{}`, but data.eft names no file", NameOf(dpo.mix))});
  if (dpo.mix_share == 0) broken.push_back({"dpo.mix_share", "0 mixes nothing in: set dpo.mix to `none`, or raise it"});
  if (dpo.mix_weight == 0)
    broken.push_back({"dpo.mix_weight", "0 learns nothing from the rows: set dpo.mix to `none`, or raise it"});
}

// The choice among the models that a job saves.
void CheckSelection(const RunConfig& config, Rules& broken) {
  const int steps = config.dpo.selection_steps;
  const std::string& prompts = config.data.validation_prompts;
  if (steps > 0 && prompts.empty())
    broken.push_back({"data.validation_prompts",
                      fmt::format("is empty, and dpo.selection_steps: {} chooses by answers to these prompts: name a "
                                  "file, or set dpo.selection_steps to 0",
                                  steps)});
  if (steps == 0 && !prompts.empty())
    broken.push_back({"data.validation_prompts",
                      "would not be used: set dpo.selection_steps to the steps between saved models, or leave it out"});
  if (steps > 0 && config.pairs.rule == PairRule::kPositive)
    broken.push_back({"dpo.selection_steps",
                      "chooses among the models of a DPO job, and with `pairs.rule: positive` there are none: set it "
                      "to 0"});
}

void CheckLora(const LoraConfig& lora, Rules& broken) {
  if (lora.rank > 0 && lora.targets.empty()) broken.push_back({"lora.targets", "is empty: nothing would be trained"});
  for (const std::string& target : lora.targets) {
    if (Find<LoraTarget>(target)) continue;
    std::string names;
    for (const auto& [each, name] : NamesOf(LoraTarget{})) names += (names.empty() ? "" : ", ") + std::string(name);
    broken.push_back({"lora.targets", fmt::format("'{}' is none of {}", target, names)});
  }
}

void CheckHealth(const RunConfig& config, Rules& broken) {
  const std::vector<std::string> usual = HealthConfig().rules;  // nobody asked for these: they may wait for a figure
  for (const std::string& text : config.health.rules) {
    const auto rule = ParseHealthRule(text);
    if (!rule.ok()) {
      broken.push_back({"health.rules", rule.status().message()});
      continue;
    }
    const std::string why = WhyNotMeasured(config, rule->figure);
    if (!why.empty() && std::ranges::find(usual, text) == usual.end())
      broken.push_back({"health.rules", fmt::format("'{}' would not be used: {}, or leave the rule out", text, why)});
  }
}

void CheckWorkers(const WorkersConfig& workers, Rules& broken) {
  constexpr int kStripTokens = 16;  // what the engine's attention reads at once
  if (workers.page_tokens % kStripTokens != 0)
    broken.push_back(
        {"workers.page_tokens", fmt::format("{} is not a multiple of {}", workers.page_tokens, kStripTokens)});
}

// With `positive` a round has no pairs and no DPO: what is about these would be read by nobody.
void CheckPairs(const RunConfig& config, Rules& broken) {
  const int64_t most = int64_t{config.prompts.per_round} * MostOfAPrompt(config);
  if (config.pairs.min_pairs_per_round > most)
    broken.push_back({"pairs.min_pairs_per_round",
                      fmt::format("{} can never be reached: a round has {} prompts, and a prompt gives at most {}",
                                  config.pairs.min_pairs_per_round, config.prompts.per_round, MostOfAPrompt(config))});
  if (config.pairs.rule != PairRule::kPositive) return;
  if (config.sft.epochs == 0)
    broken.push_back(
        {"sft.epochs", "0 trains nothing, and with `pairs.rule: positive` every round trains with the values of sft"});
  const std::string none = "and with `pairs.rule: positive` there are none";
  if (config.pairs.soft_labels != SoftLabels::kNone)
    broken.push_back({"pairs.soft_labels", "labels pairs, " + none + ": set it to `none`"});
  if (config.pairs.earlier_share > 0)
    broken.push_back({"pairs.earlier_share", "mixes pairs of earlier rounds in, " + none + ": set it to 0"});
  if (config.dpo.mix != Mix::kNone)
    broken.push_back({"dpo.mix", "mixes seed rows into steps of DPO, " + none + ": set it to `none`"});
}

// It compares texts that the model itself wrote, and DPO learns from them.
void CheckMetaJudge(const RunConfig& config, Rules& broken) {
  if (!config.meta_judge.enabled) return;
  const std::string key = "meta_judge.enabled", off = ", or set meta_judge.enabled to false";
  const JudgeConfig& judge = config.judge;
  if (judge.verdict != JudgeVerdict::kSampled)
    broken.push_back({key, fmt::format("compares the texts of judgements, and judge.verdict: {} gives none: set it to "
                                       "sampled{}",
                                       NameOf(judge.verdict), off)});
  else if (judge.votes < 2)
    broken.push_back({key, fmt::format("compares the judgements of an answer, and judge.votes is {}: set it to 2 or "
                                       "more (the paper's is 11){}",
                                       judge.votes, off)});
  if (judge.model != "policy")
    broken.push_back({key,
                      "trains the round's model on its own judgements, and judge.model is another one: set it to "
                      "policy" +
                          off});
  if (config.pairs.rule == PairRule::kPositive)
    broken.push_back(
        {key, "makes pairs, and with `pairs.rule: positive` a round trains on none: set another rule" + off});
}

}  // namespace

std::vector<BrokenRule> CheckRules(const RunConfig& config) {
  Rules broken;
  if (!IsPlainName(config.name))
    broken.push_back({"name", fmt::format("'{}' cannot name a folder: wanted letters, digits, '-', '_' and '.', not "
                                          "first a '.'",
                                          config.name)});
  if (config.device == Device::kCpu && config.dtype == Dtype::kBFloat16)
    broken.push_back({"dtype", "bfloat16 is for `device: cuda`: on processors it is slower than float32"});
  if (config.model.empty()) broken.push_back({"model", "is missing: name the folder of the model to start from"});
  if (config.data.ift.empty()) broken.push_back({"data.ift", "is missing: name a file of instructions with answers"});
  CheckPrompts(config, broken);
  CheckSampling(config, broken);
  CheckJudgeProgram(config.judge, broken);
  CheckOptimiser("sft", config.sft, broken);
  CheckOptimiser("dpo", config.dpo, broken);
  CheckMix(config, broken);
  CheckSelection(config, broken);
  CheckLora(config.lora, broken);
  CheckHealth(config, broken);
  CheckWorkers(config.workers, broken);
  CheckPairs(config, broken);
  CheckMetaJudge(config, broken);
  CheckAddress(config.coordinator.address, config.security, broken);
  if (config.coordinator.relaunch_backoff_s > config.coordinator.relaunch_backoff_max_s)
    broken.push_back({"coordinator.relaunch_backoff_s", "is more than coordinator.relaunch_backoff_max_s"});
  CheckCommand(config.launcher, broken);
  CheckHosts(config, broken);
  return broken;
}

}  // namespace srlm::config
