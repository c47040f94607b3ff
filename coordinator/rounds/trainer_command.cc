#include "coordinator/rounds/trainer_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/random.h"
#include "common/config/device.h"

namespace srlm::rounds {
namespace {

const config::OptimiserConfig& OptimiserOf(const Context& context, const TrainingJob& job) {
  if (job.kind == "sft") return context.config.sft;
  return context.config.dpo;
}

template <class T>
void Add(std::vector<std::string>& arguments, const std::string& flag, const T& value) {
  arguments.push_back(flag);
  arguments.push_back(fmt::format("{}", value));
}

void AddPreferences(std::vector<std::string>& arguments, const config::DpoConfig& dpo) {
  Add(arguments, "--beta", dpo.beta);
  if (dpo.loss != config::PairLoss::kSigmoid) Add(arguments, "--loss", config::NameOf(dpo.loss));
  if (dpo.label_smoothing > 0) Add(arguments, "--label-smoothing", dpo.label_smoothing);
  if (dpo.length_normalised) Add(arguments, "--length-normalised", true);
  if (dpo.nll_weight > 0) Add(arguments, "--nll-weight", dpo.nll_weight);
  if (dpo.selection_steps > 0) Add(arguments, "--save-steps", dpo.selection_steps);
  if (dpo.mix == config::Mix::kNone) return;
  Add(arguments, "--sft-share", dpo.mix_share);
  Add(arguments, "--sft-weight", dpo.mix_weight);
}

}  // namespace

std::vector<std::string> MethodArguments(const Context& context, const TrainingJob& job) {
  const config::OptimiserConfig& o = OptimiserOf(context, job);
  std::vector<std::string> arguments;
  Add(arguments, "--learning-rate", o.learning_rate);
  Add(arguments, "--final-learning-rate", o.final_learning_rate);
  Add(arguments, "--schedule", config::NameOf(o.schedule));
  Add(arguments, "--warmup-ratio", o.warmup_ratio);
  if (job.kind == "dpo") AddPreferences(arguments, context.config.dpo);
  Add(arguments, "--global-batch", o.global_batch);
  Add(arguments, "--micro-batch-tokens", o.micro_batch_tokens);
  Add(arguments, "--epochs", o.epochs);
  Add(arguments, "--adam-beta1", o.adam_beta1);
  Add(arguments, "--adam-beta2", o.adam_beta2);
  Add(arguments, "--weight-decay", o.weight_decay);
  Add(arguments, "--max-grad-norm", o.max_grad_norm);
  if (o.dropout > 0) Add(arguments, "--dropout", o.dropout);
  if (context.config.lora.rank > 0) {
    Add(arguments, "--lora-rank", context.config.lora.rank);
    Add(arguments, "--lora-alpha", context.config.lora.alpha);
    Add(arguments, "--lora-targets", fmt::format("{}", fmt::join(context.config.lora.targets, ",")));
  }
  if (context.config.trainer.threads > 0) Add(arguments, "--threads", context.config.trainer.threads);
  // A round's job has an order of its own: else every round would mix in the same first rows.
  const uint64_t seed = context.config.seed;
  Add(arguments, "--seed", job.round == 0 ? seed : RandomStream(seed, {StreamId(job.job_id)}).key());
  if (context.config.special_tokens_in_text == config::SpecialTokensInText::kParse)
    Add(arguments, "--special-tokens-in-text", "parse");
  return arguments;
}

launcher::LaunchSpec TrainerSpec(const Context& context, const TrainingJob& job, const std::string& program_folder,
                                 const std::string& launch_id) {
  const config::TrainerConfig& trainer = context.config.trainer;
  const std::string folder = JobFolder(context, job);
  launcher::LaunchSpec spec;
  spec.id = launch_id;
  spec.program = program_folder + "/srlm-trainer";
  spec.ranks = trainer.ranks;
  spec.log_dir = context.run_dir + "/logs/srlm-trainer/" + launch_id;
  spec.hosts = config::HostsOf(context.config.trainer, context.config.launcher);
  spec.threads = context.config.trainer.threads;
  spec.args = {job.kind};
  Add(spec.args, "--model", context.models.Find(job.input)->folder);
  Add(spec.args, "--data", folder + "/data.jsonl");
  if (MixesSft(context, job)) Add(spec.args, "--sft-data", folder + "/mix.jsonl");
  Add(spec.args, "--out", OutputFolder(context, job));
  Add(spec.args, "--log", folder + "/log.jsonl");
  const std::vector<std::string> method = MethodArguments(context, job);
  spec.args.insert(spec.args.end(), method.begin(), method.end());
  Add(spec.args, "--activation-checkpointing",
      std::string(config::NameOf(OptimiserOf(context, job).activation_checkpointing)));
  Add(spec.args, "--sharding", std::string(config::NameOf(trainer.sharding)));
  const std::vector<std::string> device = config::FlagsOf(config::DeviceOf(context.config));
  spec.args.insert(spec.args.end(), device.begin(), device.end());
  if (trainer.trace) Add(spec.args, "--trace", folder + "/trace");
  if (!context.config.chat_template.empty()) Add(spec.args, "--chat-template", context.config.chat_template);
  Add(spec.args, "--rank-timeout", trainer.rank_timeout_s);
  Add(spec.args, "--checkpoint-steps", trainer.checkpoint_steps);
  Add(spec.args, "--keep-checkpoints", trainer.keep_checkpoints);
  Add(spec.args, "--checkpoint-folder", CheckpointFolder(context, job));
  Add(spec.args, "--run", context.run_dir);
  Add(spec.args, "--job-id", job.job_id);
  if (!launch_id.empty()) Add(spec.args, "--launch-id", launch_id);
  return spec;
}

}  // namespace srlm::rounds
