#include "worker/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>
#include <string>

#include "common/base/flags.h"
#include "common/base/version.h"
#include "common/config/flags.h"

namespace srlm::worker {
namespace {

CLI::Option* AddRankTimeout(CLI::App& app, double& seconds) {
  return app
      .add_option("--rank-timeout", seconds,
                  "Under mpirun, where all ranks hold one model in parts: longest wait for the others, in seconds")
      ->check(Between(1.0, 1e6))
      ->capture_default_str();
}

void AddFiles(CLI::App& app, FileOptions& files, const char* in_flag) {
  app.add_option("--model", files.model, "Model folder, in Hugging Face's layout")->required()->type_name("DIR");
  app.add_option(in_flag, files.in, "Input, JSON Lines")->required()->type_name("FILE");
  app.add_option("--out", files.out, "Output, JSON Lines; appears when it is whole")->required()->type_name("FILE");
  app.add_option("--summary", files.summary, "Measurements, one JSON object")->type_name("FILE");
  app.add_option("--threads", files.threads, "Threads [cores / ranks on this host]")->check(CLI::Range(1, 4096));
  app.add_option("--ends-with", files.ends_with,
                 "End when this process ends, which must have started this one, or its mpirun")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()))
      ->type_name("PID");
  AddRankTimeout(app, files.rank_timeout_s);
  config::AddDevice(app, files.device);
  app.add_flag(
      "--own-kernels", files.own_kernels,
      "With --device cuda: paged attention and top-p sampling by kernels of srlm's own, which have not run on a "
      "device yet");
  app.add_option("--max-batch", files.max_batch, "Sequences that decode at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--kv-cache-mib", files.kv_cache_mib, "MiB of keys and values [enough for the batch]")
      ->check(CLI::Range(1, 1 << 24));
  app.add_option("--prefill-chunk-tokens", files.prefill_chunk_tokens, "Most prompt tokens in one step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--chat-template", files.chat_template, "Jinja file, for a model without a chat template")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--special-tokens-in-text",
         [&files](const std::string& value) { files.parse_special_tokens = value == "parse"; },
         "What '<|im_end|>' inside a text becomes: ordinary text, or the token")
      ->check(CLI::IsMember({"text", "parse"}))
      ->default_str("text");
}

void AddSampling(CLI::App& app, SamplingOptions& sampling) {
  app.add_option("--temperature", sampling.temperature, "Temperature; 0 is greedy")
      ->check(Between(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--top-p", sampling.top_p, "Mass of the nucleus that is sampled from")
      ->check(Between(1e-6, 1.0))
      ->capture_default_str();
  app.add_option("--max-new-tokens", sampling.max_new_tokens, "Most tokens of one answer")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("--seed", sampling.seed, "Seed of the random draws")->check(Whole())->capture_default_str();
}

CLI::App* AddGenerate(CLI::App& app, GenerateOptions& options) {
  CLI::App* command = app.add_subcommand("generate", "Sample answers to prompts");
  AddFiles(*command, options.files, "--prompts");
  AddSampling(*command, options.sampling);
  command->add_option("--samples", options.samples, "Answers a prompt")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command->add_flag("--greedy", options.greedy, "Always the most probable token");
  command->add_flag("--ignore-eos", options.ignore_eos, "Do not stop at the end of the turn");
  return command;
}

CLI::App* AddJudge(CLI::App& app, JudgeOptions& options) {
  options.sampling.max_new_tokens = 100;
  CLI::App* command = app.add_subcommand("judge", "Score answers from 0 to 5, or compare two");
  AddFiles(*command, options.files, "--items");
  AddSampling(*command, options.sampling);
  command->add_option("--votes", options.votes, "Sampled judgements an answer")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--verdict",
          [&options](const std::string& value) {
            options.verdict = value == "expected" ? JudgeVerdict::kExpected
                              : value == "digit"  ? JudgeVerdict::kDigit
                                                  : JudgeVerdict::kSampled;
          },
          "sampled: votes are written and parsed; digit: votes are drawn from the probabilities of the digits; "
          "expected: the mean of the digits (--pairwise: of the letters), in one pass")
      ->check(CLI::IsMember({"sampled", "digit", "expected"}))
      ->default_str("sampled");
  command->add_flag("--pairwise", options.pairwise,
                    "Compare response_a and response_b of each item, in both orders; votes are sampled in each");
  command
      ->add_option("--template", options.judge_template,
                   "Judge template with {prompt} and {response}, or with --pairwise {prompt}, {response_a} and "
                   "{response_b} [built in]")
      ->type_name("FILE");
  return command;
}

CLI::App* AddLogprobs(CLI::App& app, LogprobsOptions& options) {
  CLI::App* command = app.add_subcommand("logprobs", "Log-probabilities of given responses");
  AddFiles(*command, options.files, "--items");
  return command;
}

int SayWrong(const std::string& what) {
  std::fprintf(stderr, "srlm-worker: %s\nsrlm-worker: `srlm-worker --help` shows how it is called\n", what.c_str());
  return kExitUsage;
}

}  // namespace

const FileOptions& FileOptionsOf(const Command& command) {
  if (const auto* generate = std::get_if<GenerateOptions>(&command)) return generate->files;
  if (const auto* judge = std::get_if<JudgeOptions>(&command)) return judge->files;
  return std::get<LogprobsOptions>(command).files;
}

std::variant<Command, int> ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app("Generates, judges and scores with one model: for a run, or on files.", "srlm-worker");
  app.set_version_flag("--version", std::string("srlm-worker ") + kVersion);
  AddFailpointList(app, kFailInWorker);
  app.require_subcommand(0, 1);
  ReplicaOptions replica;
  CLI::Option* run = app.add_option("--run", replica.run_dir, "Folder of a run: join its coordinator and work for it");
  run->type_name("RUN");
  app.add_option("--launch-id", replica.launch_id, "Which launch of the coordinator this is")->needs(run);
  app.add_option("--threads", replica.threads, "Threads [as the run says]")->check(CLI::Range(1, 4096))->needs(run);
  app.add_option("--start-timeout-s", replica.start_timeout_s, "Seconds to find the coordinator")
      ->check(Between(0.1, 1e6))
      ->capture_default_str()
      ->needs(run);
  app.add_option("--orphan-timeout-s", replica.orphan_timeout_s,
                 "Seconds to look for a coordinator that was lost [as the run says]")
      ->check(Between(0.1, 1e6))
      ->needs(run);
  AddRankTimeout(app, replica.rank_timeout_s)->needs(run);
  config::AddDevice(app, replica.device, run);
  GenerateOptions generate_options;
  JudgeOptions judge_options;
  LogprobsOptions logprobs_options;
  const CLI::App* generate = AddGenerate(app, generate_options);
  const CLI::App* judge = AddJudge(app, judge_options);
  const CLI::App* logprobs = AddLogprobs(app, logprobs_options);
  const CLI::App* devices = app.add_subcommand(
      "devices", "Show the devices that --device cuda takes here, as JSON Lines, or say why there is none");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return SayWrong(error.what());
  }
  const bool on_files = generate->parsed() || judge->parsed() || logprobs->parsed();
  if (devices->parsed())
    return run->count() > 0 ? SayWrong("--run and devices exclude one another")
                            : std::variant<Command, int>(DevicesOptions{});
  if (on_files && run->count() > 0) return SayWrong("--run and a file command exclude one another");
  if (generate->parsed()) return Command(generate_options);
  if (judge->parsed() && judge_options.pairwise && judge_options.verdict == JudgeVerdict::kDigit)
    return SayWrong("--verdict digit scores one answer; with --pairwise the verdict is sampled or expected");
  if (judge->parsed()) return Command(judge_options);
  if (logprobs->parsed()) return Command(logprobs_options);
  if (run->count() == 0) return SayWrong("give --run RUN, or one of generate, judge, logprobs, devices");
  return Command(replica);
}

}  // namespace srlm::worker
