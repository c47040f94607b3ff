#include "coordinator/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/base/flags.h"
#include "common/base/version.h"
#include "coordinator/cli/measure_command_line.h"
#include "coordinator/cli/output.h"
#include "coordinator/plan/lengths.h"

namespace srlm::cli {
namespace {

constexpr char kRunFooter[] =
    "A run folder holds everything: config.yaml, ledger.sqlite, models/M1, M2, ..., logs/. Interrupted with Ctrl-C or\n"
    "killed, a run goes on where it was when the same command is given again. Exit code: 0 done, 1 failed, paused, "
    "ended or\n"
    "interrupted (stderr says why), 2 wrong usage.\n\n"
    "Keys of the configuration: docs/configuration.md. Example: srlm run deploy/configs/demo.yaml --set dpo.beta=0.2";

struct Options {
  RunOptions run;
  StatusOptions status;
  InspectOptions inspect;
  ExportOptions export_;
  ControlOptions control;
  FsckOptions fsck;
  PlanOptions plan;
  prepare::Options prepare;
  EvaluateOptions evaluate;
  CompareOptions compare;
  AnswerOptions answer;
};

CLI::App* AddRun(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Start a run, or go on with it");
  run->add_option("CONFIG", options.config, "Configuration file (YAML)")->required();
  run->add_option("--run-dir", options.run_dir, "Folder of the run [runs/<name in CONFIG>]")->type_name("DIR");
  run->add_option("--set", options.overrides, "Set a key of the configuration; may be given more than once")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  run->add_flag("--take-over", options.take_over,
                "Take the run from a coordinator that may live and will not go on: what it does after that is lost");
  run->add_flag("--check", options.check, "Only check the configuration and the files that it names");
  run->footer(kRunFooter);
  return run;
}

CLI::App* AddStatus(CLI::App& app, StatusOptions& options) {
  CLI::App* status = app.add_subcommand("status", "Say what a run is doing");
  auto* which = status->add_option_group("which run");
  which->add_option("RUN", options.run_dir, "Folder of the run");
  auto* address = which->add_option("--address", options.address, "Where its coordinator listens");
  address->type_name("HOST:PORT");
  which->require_option(1);
  status->add_option("--secrets", options.secrets, "Keys for that address: RUN/secrets/read, or a copy of it")
      ->type_name("DIR")
      ->needs(address);
  status->add_flag("--json", options.json, "One JSON object, with the fields of RunStatus in proto/srlm/v1/run.proto");
  status->add_flag("--watch", options.watch, "Follow the run until its coordinator ends");
  status->footer("A coordinator that does not answer is given up after 10 s, with exit code 1.");
  return status;
}

CLI::App* AddInspect(CLI::App& app, InspectOptions& options) {
  CLI::App* inspect = app.add_subcommand("inspect", "Show what a run has made");
  inspect->add_option("RUN", options.run_dir, "Folder of the run")->required();
  inspect
      ->add_option("TABLE", options.table,
                   "prompts, candidates, pairs, judge_pairs, rounds, evaluations, evaluation_answers or events")
      ->required()
      ->check(CLI::IsMember(
          {"prompts", "candidates", "pairs", "judge_pairs", "rounds", "evaluations", "evaluation_answers", "events"}));
  inspect->add_flag("--json", options.json, "One JSON object a line; fields in docs/formats.md");
  inspect->add_option("--round", options.round, "Only this round [all]")->check(CLI::Range(1, 1000000));
  inspect->add_option("--limit", options.limit, "At most this many rows [all]")->check(CLI::Range(1, 1000000000));
  return inspect;
}

CLI::App* AddExport(CLI::App& app, ExportOptions& options) {
  CLI::App* command = app.add_subcommand("export", "Write a run's data as JSON Lines that TRL reads");
  command->add_option("RUN", options.run_dir, "Folder of the run")->required();
  command
      ->add_option(
          "WHAT", options.kind,
          "pairs, judge_pairs, candidates, sft (every pair's chosen answer), evaluations or evaluation_answers")
      ->required()
      ->check(CLI::IsMember({"pairs", "judge_pairs", "candidates", "sft", "evaluations", "evaluation_answers"}));
  command->add_option("--out", options.out, "File to write [standard output]")->type_name("FILE");
  command->add_option("--round", options.round, "Only this round [all]")->check(CLI::Range(1, 1000000));
  return command;
}

constexpr char kPlanFooter[] =
    "Without --gpus the run's programs are timed on made-up text for a minute, as many at once as the run has, so "
    "that\n"
    "nothing else should use the cores. With --gpus the figures of the GPU's maker are taken, times what well-kept\n"
    "systems reach of them (docs/operations.md), and the layout is suggested. Data files are counted where all of "
    "them\n"
    "are there. Example: srlm plan deploy/recipes/llama2-70b-64gpu.yaml --model llama-2-70b --gpus 64 --gpu h100-80gb";

CLI::App* AddPlan(CLI::App& app, PlanOptions& options) {
  CLI::App* command = app.add_subcommand("plan", "Say what a run would need: memory, time, disk");
  command->add_option("CONFIG", options.config, "Configuration file (YAML)")->required();
  command->add_option("--set", options.overrides, "Set a key of the configuration; may be given more than once")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--model", options.model, "A folder with a config.json, or a well-known model's name [CONFIG's]")
      ->type_name("DIR|NAME");
  command->add_option("--gpus", options.gpus, "GPUs of this kind, instead of this machine's cores")
      ->check(CLI::Range(1, 4096));
  command->add_option("--gpu", options.gpu, "Their kind")->capture_default_str()->needs("--gpus");
  std::string lengths;
  for (const auto& [name, meaning] : plan::LengthNames()) lengths += "\n  " + name + ": " + meaning;
  command
      ->add_option_function<std::vector<std::string>>(
          "--length",
          [&options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const size_t at = text.find('=');
              char* end = nullptr;
              const std::string number = at == std::string::npos ? "" : text.substr(at + 1);
              const double value = std::strtod(number.c_str(), &end);
              if (number.empty() || *end != '\0') {
                throw CLI::ValidationError("--length", "'" + text + "' is not NAME=NUMBER");
              }
              options.lengths[text.substr(0, at)] = value;
            }
          },
          "What is not counted or counted otherwise; may be given more than once:" + lengths)
      ->type_name("NAME=NUMBER")
      ->allow_extra_args(false);
  command->add_flag("!--no-probe", options.probe, "Measure nothing, and say no times; not with --gpus")
      ->excludes("--gpus");
  command->add_flag("--json", options.json, "One JSON object; fields in docs/formats.md");
  command->footer(kPlanFooter);
  return command;
}

CLI::App* AddFsck(CLI::App& app, FsckOptions& options) {
  CLI::App* command = app.add_subcommand("fsck", "Check that a run's folder holds what it must hold, each thing once");
  command->add_option("RUN", options.run_dir, "Folder of the run")->required();
  command->add_flag("--json", options.json, "One JSON object; fields in docs/formats.md");
  command->footer(
      "Changes nothing. Exit code: 0 all is as it must be, 1 with findings, 2 wrong usage. The digest is SHA-256 over\n"
      "what the run has made: two runs that made the same have the same.");
  return command;
}

constexpr char kPrepareFooter[] =
    "FILEs are JSON Lines: ranked answers, Open Assistant messages or trees, UltraFeedback, pairs (chosen, rejected),\n"
    "HelpSteer, HelpSteer3; docs/formats.md has their fields. Prompts whose SHA-256(prompt_id) begins with a byte\n"
    "from 205 on are kept for evaluation. Written to DIR: ift.jsonl, eft.jsonl, evaluation.jsonl, rejects.jsonl and\n"
    "report.json, which says what failed, if something did.";

void AddLessonOptions(CLI::App& command, prepare::Options& options) {
  command.add_option("--max-eft-prompts", options.max_eft_prompts, "At most so many prompts for EFT; 0: all")
      ->check(CLI::Range(0, 100000000))
      ->capture_default_str();
  auto* model = command.add_option("--model", options.model, "Model folder that writes the judgements of EFT");
  model->type_name("DIR");
  command.add_option("--template", options.judge_template, "Judge template with {prompt} and {response} [built in]")
      ->type_name("FILE")
      ->needs(model);
  command
      .add_option("--scores", options.origin,
                  "sampled: the model's, where they stand in people's order; human: people's order gives them and the "
                  "model writes the justification [sampled, if a tenth of the first judgements has a score]")
      ->check(CLI::IsMember({"sampled", "human"}))
      ->needs(model);
  command.add_option("--probe", options.probe, "Answers that are judged first, to decide that")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command.add_option("--tries", options.tries, "Judgements of an answer; of a prompt's the first that agree are taken")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_flag("!--no-balance", options.balance, "Keep all rows of the most frequent score");
  command.add_option("--chat-template", options.chat_template, "Jinja file, for a model without a chat template")
      ->type_name("FILE");
  command.add_option("--temperature", options.temperature, "Temperature")
      ->check(Between(0, 100))
      ->capture_default_str();
  command.add_option("--top-p", options.top_p, "Nucleus that is sampled from")
      ->check(Between(1e-6, 1))
      ->capture_default_str();
  command.add_option("--max-new-tokens", options.max_new_tokens, "Most tokens of a judgement")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads of srlm-worker [all cores]")->check(CLI::Range(1, 4096));
  command.add_option("--max-batch", options.max_batch, "Texts that are written at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
}

CLI::App* AddPrepare(CLI::App& app, prepare::Options& options) {
  CLI::App* command = app.add_subcommand("prepare", "Make seed data (IFT, EFT, evaluation) out of ranked answers");
  command->add_option("FILE", options.sources, "Ranked answers");
  command->add_option("--out", options.out, "Folder to write")->required()->type_name("DIR");
  command
      ->add_option_function<std::string>(
          "--format", [&options](const std::string& name) { options.format = data::SourceFormatFromName(name); },
          "Format of all FILEs [as the first row shows]")
      ->check(CLI::IsMember(data::SourceFormatNames()));
  command->add_option("--ift", options.ift, "Ready-made SFT rows, instead of making them")->type_name("FILE");
  command->add_option("--eft", options.eft, "Ready-made EFT rows, instead of making them")->type_name("FILE");
  command->add_flag("--keep-given", options.keep_given,
                    "Keep the rows of --ift and --eft as they are, but for those whose prompts overlap");
  command
      ->add_option("--evaluation", options.evaluation,
                   "Prompts that must not be trained on; may be given more than once")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--eft-share", options.eft_share, "Share of the ranked training prompts that EFT is made from")
      ->check(Between(0, 1))
      ->capture_default_str();
  command->add_flag("--any-language", options.any_language, "Keep what is not English");
  command->add_option("--seed", options.seed, "Seed of the random choices")->check(Whole())->capture_default_str();
  AddLessonOptions(*command, options);
  command->footer(kPrepareFooter);
  return command;
}

void AddControl(CLI::App& app, const char* what, const char* description, ControlOptions& options) {
  CLI::App* command = app.add_subcommand(what, description);
  auto* which = command->add_option_group("which run");
  which->add_option("RUN", options.run_dir, "Folder of the run");
  CLI::Option* address =
      which->add_option("--address", options.address, "Where its coordinator listens")->type_name("HOST:PORT");
  which->require_option(1);
  command->add_option("--secrets", options.secrets, "Folder of keys with the right to steer")
      ->needs(address)
      ->type_name("DIR");
  command->add_option("--reason", options.reason, "Why, for the run's events")->type_name("TEXT");
  command->add_option("--wait-s", options.wait_s, "Longest wait until it is so; 0: none")
      ->check(Between(0, 1e6))
      ->capture_default_str();
  command->callback([&options, what] { options.what = what; });
}

/// The first line of a message for a wrong call, and where help is.
int SayWrong(const CLI::App& app, const std::string& what) {
  std::string command = "srlm";
  for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
  std::fprintf(stderr, "srlm: %s\nsrlm: `%s --help` shows how it is called\n", what.c_str(), command.c_str());
  return kExitUsage;
}

}  // namespace

std::variant<Command, int> ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app("Self-rewarding language models: a model answers, judges its answers and is trained on the pairs.",
               "srlm");
  app.set_version_flag("--version", std::string("srlm ") + kVersion);
  AddFailpointList(app, kFailInSrlm);
  app.require_subcommand(1);
  app.footer("Start here: srlm run deploy/configs/demo.yaml. `srlm COMMAND --help` tells more.");
  Options options;
  const CLI::App* run = AddRun(app, options.run);
  const CLI::App* status = AddStatus(app, options.status);
  const CLI::App* inspect = AddInspect(app, options.inspect);
  AddExport(app, options.export_);
  const CLI::App* prepare = AddPrepare(app, options.prepare);
  const CLI::App* fsck = AddFsck(app, options.fsck);
  const CLI::App* plan = AddPlan(app, options.plan);
  const CLI::App* evaluate = AddEvaluate(app, options.evaluate);
  const CLI::App* compare = AddCompare(app, options.compare);
  const CLI::App* answer = AddAnswer(app, options.answer);
  AddControl(app, "pause", "Make a run hand in what it has begun and wait; its coordinator stays", options.control);
  AddControl(app, "resume", "Go on with a paused run", options.control);
  AddControl(app, "cancel", "End a run in order; `srlm run` can go on with it later", options.control);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    if (!app.get_subcommands().empty()) return SayWrong(app, error.what());
    const std::string first = argc > 1 ? argv[1] : "";
    const std::string what = first.empty() ? "no command" : "no command '" + first + "'";
    return SayWrong(app, first.starts_with('-') ? error.what()
                                                : what +
                                                      "; there are prepare, plan, run, status, pause, resume, cancel, "
                                                      "inspect, fsck, evaluate, compare, answer and export");
  }
  options.run.program = argv[0];
  options.control.program = argv[0];
  if (run->parsed()) return Command(options.run);
  if (status->parsed()) return Command(options.status);
  if (!options.control.what.empty()) return Command(options.control);
  if (inspect->parsed()) return Command(options.inspect);
  if (fsck->parsed()) return Command(options.fsck);
  if (plan->parsed()) return Command(options.plan);
  if (prepare->parsed()) return Command(options.prepare);
  if (evaluate->parsed()) return Command(options.evaluate);
  if (compare->parsed()) return Command(options.compare);
  if (answer->parsed()) return Command(options.answer);
  return Command(options.export_);
}

}  // namespace srlm::cli
