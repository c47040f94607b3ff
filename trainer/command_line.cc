#include "trainer/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "common/base/flags.h"
#include "common/base/version.h"
#include "common/config/enums.h"
#include "common/config/flags.h"
#include "trainer/losses/logit_loss.h"

namespace srlm::trainer {
namespace {

constexpr double kBelowOne = 0.999999999;

void AddFiles(CLI::App& app, TrainerOptions& options) {
  app.add_option("--model", options.model, "Model folder to begin with, in Hugging Face's layout")
      ->required()
      ->type_name("DIR");
  app.add_option("--data", options.data, "JSON Lines; may be given several times")->required()->type_name("FILE");
  app.add_option("--out", options.out, "Model folder to make; appears when it is whole")->type_name("DIR");
  app.add_option("--log", options.log, "Log, JSON Lines: one row a step")->type_name("FILE");
  app.add_option("--print-logprobs", options.print_logprobs,
                 "Log-probabilities of every response before training, JSON Lines; without --out nothing is trained")
      ->type_name("FILE");
  app.add_option("--chat-template", options.chat_template, "Jinja file, for a model without a chat template")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--special-tokens-in-text",
         [&options](const std::string& value) { options.parse_special_tokens = value == "parse"; },
         "What '<|im_end|>' inside a text becomes: ordinary text, or the token")
      ->check(CLI::IsMember({"text", "parse"}))
      ->default_str("text");
}

void AddOptimisation(CLI::App& app, TrainerOptions& options) {
  app.add_option("--learning-rate", options.learning_rate, "Highest learning rate")
      ->check(Between(0.0, 10.0))
      ->capture_default_str();
  app.add_option("--final-learning-rate", options.final_learning_rate, "Where the cosine ends; at most --learning-rate")
      ->check(Between(0.0, 10.0))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--schedule",
         [&options](const std::string& value) {
           options.schedule = value == "cosine" ? Schedule::kCosine : Schedule::kConstant;
         },
         "Learning rate after warm-up")
      ->check(CLI::IsMember({"cosine", "constant"}))
      ->default_str("cosine");
  app.add_option("--warmup-ratio", options.warmup_ratio, "Share of the steps that warm up")
      ->check(Between(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--adam-beta1", options.adam_beta1)->check(Between(0.0, kBelowOne))->capture_default_str();
  app.add_option("--adam-beta2", options.adam_beta2)->check(Between(0.0, kBelowOne))->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay, "On matrices, not on norms")
      ->check(Between(0.0, 10.0))
      ->capture_default_str();
  app.add_option("--max-grad-norm", options.max_grad_norm, "Gradients are clipped to it; 0: no clipping")
      ->check(Between(0.0, 1e9))
      ->capture_default_str();
  app.add_option("--dropout", options.dropout, "Share of what a block's parts add to the hidden state that is dropped")
      ->check(Between(0.0, 0.9))
      ->capture_default_str();
}

void AddBatches(CLI::App& app, TrainerOptions& options) {
  app.add_option("--global-batch", options.global_batch, "Rows of an optimiser step, over all ranks")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->capture_default_str();
  app.add_option("--micro-batch-tokens", options.micro_batch_tokens, "Tokens that a rank computes at once")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "Passes over the data; 0: none, the model is saved as it is")
      ->check(Between(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--max-steps", options.max_steps, "Exactly so many steps, whatever --epochs says [0: as epochs say]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--shuffle", options.shuffle, "true: a new order each epoch; false: the file's")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the order and of dropout")->check(Whole())->capture_default_str();
}

void AddLora(CLI::App& app, TrainerOptions& options) {
  std::vector<std::string> names;
  for (const auto& [target, name] : config::NamesOf(config::LoraTarget{})) {
    options.lora.targets.push_back(target);
    names.emplace_back(name);
  }
  app.add_option("--lora-rank", options.lora.rank, "Trains adapters of this rank in place of the model [0: the model]")
      ->check(CLI::Range(int64_t{0}, int64_t{4096}));
  app.add_option("--lora-alpha", options.lora.alpha, "A change is alpha / rank times B A")
      ->check(Between(1e-3, 1e6))
      ->capture_default_str();
  app.add_option_function<std::vector<std::string>>(
         "--lora-targets",
         [&options](const std::vector<std::string>& targets) { options.lora.targets = model::LoraTargetsOf(targets); },
         "Matrices of each block with adapters [all]")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  config::AddChoice(
      app, "--lora-save", options.lora_save,
      "merged: OUT is a model with the adapters in it; adapter: OUT is the adapters alone, as PEFT reads them");
}

void AddMachine(CLI::App& app, TrainerOptions& options) {
  app.add_option("--threads", options.threads, "Threads of a rank [cores / ranks on this host]")
      ->check(CLI::Range(1, 4096));
  config::AddDevice(app, options.device);
  config::AddChoice(
      app, "--activation-checkpointing", options.activation_checkpointing,
      "block: keep each block's input alone and compute the block again in backward: less memory, more time");
  config::AddChoice(
      app, "--sharding", options.sharding,
      "What a rank holds its part of only: none, the optimizer's state (ZeRO-1), or weights and gradients too "
      "(full: ZeRO-3)");
  app.add_option(
         "--trace", options.trace,
         "Folder for rank-<r>.json: what each rank computed, waited for and sent, and when, for Perfetto, of the "
         "launch that ends the job; some 50 MB for 1,000 steps of 80 blocks")
      ->type_name("DIR");
  app.add_option("--rank-timeout", options.timeout_s, "Longest wait for other ranks, seconds")
      ->check(Between(1.0, 1e6))
      ->capture_default_str();
  app.add_option("--checkpoint-steps", options.checkpoint_steps,
                 "Steps between checkpoints, and one at the end [0: none]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--checkpoint-folder", options.checkpoint_folder, "[OUT.checkpoints]")->type_name("DIR");
  app.add_option("--keep-checkpoints", options.keep_checkpoints)->check(CLI::Range(1, 1 << 20))->capture_default_str();
  app.add_option("--save-steps", options.save_steps,
                 "Saves the model as OUT.step-<n> after each n-th step that this divides and after the last one, in "
                 "place of OUT [0: OUT alone]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
      ->needs("--out");
  app.add_option(
         "--resume", options.resume,
         "true: go on from the newest whole checkpoint of this very job; false: begin anew, and replace what is "
         "in the folder")
      ->capture_default_str();
  CLI::Option* run =
      app.add_option("--run", options.run, "Folder of a run: report to its coordinator")->type_name("RUN");
  CLI::Option* job = app.add_option("--job-id", options.job_id, "The job's name in the run")->needs(run);
  run->needs(job);
  app.add_option("--launch-id", options.launch_id, "Name of this launch of the job")->needs(run);
}

CLI::App* AddMethod(CLI::App& app, const char* name, const char* what, TrainerOptions& options) {
  CLI::App* command = app.add_subcommand(name, what);
  AddFiles(*command, options);
  AddOptimisation(*command, options);
  AddBatches(*command, options);
  AddLora(*command, options);
  AddMachine(*command, options);
  return command;
}

/// A folder's name without the slashes at its end: other names are made from it.
void DropTrailingSlashes(std::string& path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
}

/// Sets what depends on several flags; what is wrong with them, if anything.
std::string Settle(const CLI::App& command, TrainerOptions& options) {
  for (std::string* folder : {&options.model, &options.out, &options.checkpoint_folder}) DropTrailingSlashes(*folder);
  if (options.out.empty() && options.print_logprobs.empty()) return "--out is required";
  if (options.schedule == Schedule::kCosine && options.final_learning_rate > options.learning_rate) {
    if (command.count("--final-learning-rate") > 0) return "--final-learning-rate is above --learning-rate";
    options.final_learning_rate = options.learning_rate;  // the default was made for higher rates
  }
  if (options.lora.rank > 0 && options.lora_save == config::LoraSave::kAdapter && options.save_steps > 0)
    return "--save-steps saves merged models: --lora-save adapter does not go with it";
  return "";
}

void AddPreferences(CLI::App& app, TrainerOptions& options) {
  std::vector<std::string> losses;
  for (const LogitLoss& loss : LogitLosses()) losses.emplace_back(loss.name);
  app.add_option("--loss", options.loss, "Loss of a pair")->check(CLI::IsMember(losses))->capture_default_str();
  app.add_option("--label-smoothing", options.label_smoothing, "How often labels are wrong (conservative DPO)")
      ->check(Between(0.0, 0.5))
      ->capture_default_str();
  app.add_option("--length-normalised", options.length_normalised,
                 "true: each answer's log-ratio is divided by its tokens")
      ->capture_default_str();
  app.add_option("--beta", options.beta, "Strength of the reference")->check(Between(1e-6, 1e3))->capture_default_str();
  app.add_option("--nll-weight", options.nll_weight, "Adds so many times the chosen answer's mean token NLL")
      ->check(Between(0.0, 1e3))
      ->capture_default_str();
  CLI::Option* share = app.add_option("--sft-share", options.sft_share, "SFT rows of a step, for each of its pairs")
                           ->check(Between(0.0, 1e3))
                           ->capture_default_str();
  app.add_option("--sft-data", options.sft_data,
                 "SFT rows to mix into the steps, JSON Lines; may be given several times")
      ->type_name("FILE")
      ->needs(share);
  app.add_option("--sft-weight", options.sft_weight, "Factor of the SFT rows' loss")
      ->check(Between(0.0, 1e3))
      ->capture_default_str();
}

/// Where rows of `prompt, response, justification, score` may be.
void AddTemplate(CLI::App& app, TrainerOptions& options) {
  app.add_option("--template", options.judge_template, "Judge template, for rows that teach judging [built in]")
      ->type_name("FILE");
}

NotRun Wrong(const std::string& what) {
  return {kExitUsage, "srlm-trainer: " + what + "\nsrlm-trainer: `srlm-trainer --help` shows how it is called\n"};
}

}  // namespace

std::variant<TrainerOptions, NotRun> ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app("Trains a model on answers (sft) or on preferences (dpo); under mpirun on all its ranks.",
               "srlm-trainer");
  app.set_version_flag("--version", std::string("srlm-trainer ") + kVersion);
  AddFailpointList(app, kFailInTrainer);
  app.require_subcommand(0, 1);
  TrainerOptions sft, dpo;
  sft.method = Method::kSft;
  sft.learning_rate = 5.5e-6;
  sft.final_learning_rate = 1.1e-6;
  dpo.method = Method::kDpo;
  dpo.learning_rate = 1e-6;
  dpo.final_learning_rate = 1e-7;
  CLI::App* sft_command = AddMethod(app, "sft", "Supervised fine-tuning: the loss is on the answers", sft);
  AddTemplate(*sft_command, sft);
  CLI::App* dpo_command = AddMethod(app, "dpo", "Direct preference optimisation", dpo);
  AddPreferences(*dpo_command, dpo);
  AddTemplate(*dpo_command, dpo);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app.exit(success, text, text);
    return NotRun{kExitDone, text.str()};
  } catch (const CLI::ParseError& error) {
    return Wrong(error.what());
  }
  if (!sft_command->parsed() && !dpo_command->parsed()) return Wrong("say what to do: sft or dpo");
  TrainerOptions& options = sft_command->parsed() ? sft : dpo;
  const std::string wrong = Settle(sft_command->parsed() ? *sft_command : *dpo_command, options);
  if (!wrong.empty()) return Wrong(wrong);
  return options;
}

}  // namespace srlm::trainer
