#include "coordinator/cli/measure_command_line.h"

#include <filesystem>

#include "common/base/flags.h"
#include "common/config/flags.h"

namespace srlm::cli {
namespace {

constexpr char kModelHelp[] =
    "A model is a folder, RUN:M2, or (for evaluate) RUN: all models that the run has made. Prompts that a run was\n"
    "trained on (the same words, or 13 words in a row) are refused: --overlap. The result is also stored as JSON, in\n"
    "--out or else in RUN/evaluations of the first model's run; fields in docs/formats.md.";

void AddSampling(CLI::App& command, measure::Sampling& sampling) {
  command.add_option("--temperature", sampling.temperature, "Temperature of the answers; 0 is greedy")
      ->check(Between(0, 10))
      ->capture_default_str();
  command.add_option("--top-p", sampling.top_p, "Mass of the nucleus that answers are sampled from")
      ->check(Between(0.001, 1))
      ->capture_default_str();
  command.add_option("--max-new-tokens", sampling.max_new_tokens, "Most tokens of an answer")
      ->check(CLI::Range(1, 131072))
      ->capture_default_str();
}

void AddJudging(CLI::App& command, measure::Judging& judging, const char* template_help) {
  command
      .add_option_function<std::string>(
          "--verdict", [&judging](const std::string& value) { judging.expected = value == "expected"; },
          "expected: the probabilities after the opened verdict; sampled: votes are written and parsed")
      ->check(CLI::IsMember({"sampled", "expected"}))
      ->default_str("expected");
  command.add_option("--votes", judging.votes, "Sampled judgements (of each order)")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--judge-tokens", judging.max_new_tokens, "Most tokens of a sampled judgement")
      ->check(CLI::Range(1, 131072))
      ->capture_default_str();
  command.add_option("--template", judging.judge_template, template_help)->type_name("FILE");
}

/// Flags that the asked verdict has no use for.
void CheckJudging(const CLI::App& command, const measure::Judging& judging) {
  if (!judging.expected) return;
  for (const char* flag : {"--votes", "--judge-tokens"})
    if (command.count(flag) > 0)
      throw CLI::ValidationError(flag, "is of --verdict sampled; the expected verdict writes no judgement");
}

void CheckTwoFiles(const std::string& out, const std::string& rows) {
  const auto place = [](const std::string& path) {
    std::error_code error;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  if (!rows.empty() && !out.empty() && place(rows) == place(out))
    throw CLI::ValidationError("--rows", "and --out name one file, " + out + "; one would replace the other");
}

void AddChatTemplate(CLI::App& command, std::string& chat_template) {
  command.add_option("--chat-template", chat_template, "Jinja file, for a model without a chat template")
      ->type_name("FILE");
}

/// One seed for answers, judgements and intervals.
void AddMore(CLI::App& command, MeasureOptions& more, measure::Judging& judging, measure::Sampling& sampling) {
  command
      .add_option_function<uint64_t>(
          "--seed", [&](const uint64_t& seed) { judging.seed = sampling.seed = seed; }, "Seed of every random number")
      ->check(Whole())
      ->default_str("1");
  command.add_option("--limit", more.limit, "Only the first so many prompts [all]")->check(CLI::Range(1, 1000000000));
  command.add_option("--overlap", more.overlap, "Prompts that a run was trained on: refuse, leave-out or allow")
      ->check(CLI::IsMember({"refuse", "leave-out", "allow"}))
      ->capture_default_str();
  AddChatTemplate(command, more.chat_template);
  command.add_option("--threads", more.threads, "Threads of a rank [all cores]")->check(CLI::Range(1, 1024));
  command
      .add_option("--tensor-parallel", more.tensor_parallel,
                  "Ranks on this host that hold a model together, each a part of every matrix")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  config::AddDevice(command, more.device);
  command.add_option("--out", more.out, "JSON file for the result")->type_name("FILE");
  command.add_flag("--json", more.json, "Print the result as JSON");
  command.footer(kModelHelp);
}

}  // namespace

CLI::App* AddEvaluate(CLI::App& app, EvaluateOptions& options) {
  CLI::App* command = app.add_subcommand("evaluate", "Measure how models judge, and how they answer");
  command->add_option("MODEL", options.models, "Models: folders, RUN or RUN:M2")->required();
  auto* what = command->add_option_group("what is measured");
  what->add_option("--data", options.data, "Answers that people ranked: how well the model judges them")
      ->type_name("RANKED.jsonl");
  what->add_option("--held-out", options.held_out, "People's answers: how probable the model finds them")
      ->type_name("FILE");
  what->add_option("--prompts", options.prompts, "Prompts: how long and how varied the model's answers are")
      ->type_name("FILE");
  what->require_option(1, 3);
  AddJudging(*command, options.judging, "Judge template with {prompt} and {response} [the run's, else built in]");
  AddSampling(*command, options.sampling);
  AddMore(*command, options.more, options.judging, options.sampling);
  command->callback([command, &options] { CheckJudging(*command, options.judging); });
  return command;
}

CLI::App* AddCompare(CLI::App& app, CompareOptions& options) {
  CLI::App* command = app.add_subcommand("compare", "Let a judge compare the answers of two models, in both orders");
  command->add_option("A", options.a, "A model")->required();
  command->add_option("B", options.b, "The model that it is compared with")->required();
  command->add_option("--prompts", options.prompts, "Prompts that both answer, JSON Lines")
      ->required()
      ->type_name("FILE");
  command->add_option("--judge", options.judge, "Model that judges; one that judges its own answers favours them")
      ->required()
      ->type_name("MODEL");
  command->add_option("--rows", options.rows, "JSON Lines file for the answers and verdicts")->type_name("FILE");
  AddJudging(*command, options.judging, "Pairwise template with {prompt}, {response_a} and {response_b} [built in]");
  AddSampling(*command, options.sampling);
  AddMore(*command, options.more, options.judging, options.sampling);
  command->callback([command, &options] {
    CheckJudging(*command, options.judging);
    CheckTwoFiles(options.more.out, options.rows);
  });
  return command;
}

CLI::App* AddAnswer(CLI::App& app, AnswerOptions& options) {
  CLI::App* command =
      app.add_subcommand("answer", "Let a model answer a benchmark's questions, as its tools read them");
  command->add_option("MODEL", options.model, "A model: a folder, or RUN:M2")->required();
  command->add_option("--benchmark", options.benchmark, "alpaca-eval or mt-bench")
      ->required()
      ->check(CLI::IsMember({"alpaca-eval", "mt-bench"}));
  command->add_option("--questions", options.questions, "The benchmark's questions")->required()->type_name("FILE");
  command->add_option("--out", options.out, "File for the answers")->required()->type_name("FILE");
  command->add_option("--name", options.name, "The model's name in it [MODEL]")->type_name("NAME");
  command->add_option("--limit", options.limit, "Only the first so many questions [all]")
      ->check(CLI::Range(1, 1000000000));
  command->add_option("--threads", options.threads, "Threads [all cores]")->check(CLI::Range(1, 1024));
  command
      ->add_option_function<uint64_t>(
          "--seed", [&options](const uint64_t& seed) { options.sampling.seed = seed; }, "Seed of every random number")
      ->check(Whole())
      ->default_str("1");
  AddChatTemplate(*command, options.chat_template);
  AddSampling(*command, options.sampling);
  command->footer(
      "alpaca-eval: a .json list for `alpaca_eval --model_outputs`. mt-bench: JSON Lines for FastChat's\n"
      "data/mt_bench/model_answer/NAME.jsonl, each category at the benchmark's own temperature, and unless told\n"
      "otherwise with --top-p 1 --max-new-tokens 1024.");
  command->callback([command, &options] {
    if (options.benchmark != "mt-bench") return;
    if (command->count("--temperature") > 0)
      throw CLI::ValidationError("--temperature", "mt-bench has one for each category; leave it out");
    if (command->count("--top-p") == 0) options.sampling.top_p = 1;
    if (command->count("--max-new-tokens") == 0) options.sampling.max_new_tokens = 1024;
  });
  return command;
}

}  // namespace srlm::cli
