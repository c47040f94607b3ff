#include "coordinator/rounds/job_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jsonl.h"

namespace srlm::rounds {
namespace {

const config::OptimiserConfig& OptimiserOf(const Context& context, const TrainingJob& job) {
  if (job.kind == "sft") return context.config.sft;
  return context.config.dpo;
}

Result<ledger::CandidateRow> CandidateOf(const Context& context, const ledger::PairRow& pair, int sample) {
  SRLM_ASSIGN_OR_RETURN(auto row, context.ledger.Candidate(pair.round, pair.prompt_id, sample));
  if (!row) return InternalError(fmt::format("candidate {} of prompt {} is not in the ledger", sample, pair.prompt_id));
  return std::move(*row);
}

Result<data::PreferenceRow> PreferenceOf(const Context& context, const ledger::PairRow& pair) {
  SRLM_ASSIGN_OR_RETURN(const auto prompt, context.ledger.Prompt(pair.round, pair.prompt_id));
  if (!prompt) return InternalError("prompt " + pair.prompt_id + " is not in the ledger");
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow chosen, CandidateOf(context, pair, pair.chosen_sample));
  SRLM_ASSIGN_OR_RETURN(const ledger::CandidateRow rejected, CandidateOf(context, pair, pair.rejected_sample));
  data::PreferenceRow row;
  row.prompt_id = pair.prompt_id;
  row.prompt = prompt->input;
  row.prompt_token_ids = prompt->token_ids;
  row.chosen = chosen.text;
  row.chosen_token_ids = chosen.token_ids;
  row.rejected = rejected.text;
  row.rejected_token_ids = rejected.token_ids;
  if (context.config.dpo.reference == config::Reference::kSampler) {
    row.reference_chosen_logp = chosen.logprob;
    row.reference_rejected_logp = rejected.logprob;
  }
  return row;
}

Result<int64_t> WriteData(const Context& context, const TrainingJob& job) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(JobFolder(context, job) + "/data.jsonl"));
  int64_t rows = 0;
  if (job.kind == "sft") {
    for (const data::SftRow& row : context.inputs.sft) {
      SRLM_RETURN_IF_ERROR(writer.Write(data::ToJson(row)));
      ++rows;
    }
  } else {
    SRLM_ASSIGN_OR_RETURN(const auto pairs, context.ledger.Pairs(job.round));
    for (const ledger::PairRow& pair : pairs) {
      if (pair.chosen_sample < 0) continue;
      SRLM_ASSIGN_OR_RETURN(const data::PreferenceRow row, PreferenceOf(context, pair));
      SRLM_RETURN_IF_ERROR(writer.Write(data::ToJson(row)));
      ++rows;
    }
  }
  SRLM_RETURN_IF_ERROR(writer.Close());
  return rows;
}

}  // namespace

TrainingJob JobOf(int number) {
  const int round = number - 1;
  return {round == 0 ? "sft" : fmt::format("dpo-{}", round), round == 0 ? "sft" : "dpo", round,
          fmt::format("M{}", round), fmt::format("M{}", number)};
}

std::string JobFolder(const Context& context, const TrainingJob& job) {
  return context.run_dir + "/jobs/" + job.job_id;
}

std::string OutputFolder(const Context& context, const TrainingJob& job) {
  return context.run_dir + "/models/" + job.output;
}

Result<JobFiles> WriteJobFiles(const Context& context, const TrainingJob& job) {
  const std::string folder = JobFolder(context, job), description = folder + "/job.json";
  SRLM_RETURN_IF_ERROR(MakeFolders(folder));
  SRLM_RETURN_IF_ERROR(MakeFolders(context.run_dir + "/models"));
  JobFiles files;
  SRLM_ASSIGN_OR_RETURN(files.rows, WriteData(context, job));
  SRLM_ASSIGN_OR_RETURN(const std::string data_sha256, Sha256File(folder + "/data.jsonl"));
  const nlohmann::ordered_json json = {{"job_id", job.job_id},
                                       {"kind", job.kind},
                                       {"round", job.round},
                                       {"input", job.input},
                                       {"input_model_id", context.models.Find(job.input)->model_id},
                                       {"output", job.output},
                                       {"rows", files.rows},
                                       {"data_sha256", data_sha256},
                                       {"ranks", context.config.trainer.ranks},
                                       {"arguments", TrainerSpec(context, job, "", "").args}};
  const std::string text = json.dump(1) + "\n";
  const auto before = ReadFile(description);
  files.as_before = before.ok() && before.value() == text;
  if (!files.as_before) SRLM_RETURN_IF_ERROR(WriteFileAtomic(description, text));
  return files;
}

void RemoveUnfinishedModels(const Context& context, const TrainingJob& job) {
  const std::filesystem::path folder = OutputFolder(context, job);
  const std::string prefix = folder.filename().string() + ".tmp.";
  std::error_code error;
  std::vector<std::filesystem::path> unfinished;
  std::filesystem::directory_iterator entry(folder.parent_path(), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with(prefix)) unfinished.push_back(entry->path());
  }
  for (const auto& path : unfinished) std::filesystem::remove_all(path, error);
}

launcher::LaunchSpec TrainerSpec(const Context& context, const TrainingJob& job, const std::string& program_folder,
                                 const std::string& launch_id) {
  const config::OptimiserConfig& o = OptimiserOf(context, job);
  const std::string folder = JobFolder(context, job);
  launcher::LaunchSpec spec;
  spec.id = launch_id;
  spec.program = program_folder + "/srlm-trainer";
  spec.ranks = context.config.trainer.ranks;
  spec.log_dir = context.run_dir + "/logs/srlm-trainer/" + launch_id;
  spec.args = {job.kind,
               "--model",
               context.models.Find(job.input)->folder,
               "--data",
               folder + "/data.jsonl",
               "--out",
               OutputFolder(context, job),
               "--log",
               folder + "/log.jsonl"};
  const auto add = [&](const std::string& flag, const auto& value) {
    spec.args.push_back(flag);
    spec.args.push_back(fmt::format("{}", value));
  };
  add("--learning-rate", o.learning_rate);
  add("--final-learning-rate", o.final_learning_rate);
  add("--schedule", config::NameOf(o.schedule));
  add("--warmup-ratio", o.warmup_ratio);
  if (job.kind == "dpo") add("--beta", context.config.dpo.beta);
  add("--global-batch", o.global_batch);
  add("--micro-batch-tokens", o.micro_batch_tokens);
  add("--epochs", o.epochs);
  add("--adam-beta1", o.adam_beta1);
  add("--adam-beta2", o.adam_beta2);
  add("--weight-decay", o.weight_decay);
  add("--max-grad-norm", o.max_grad_norm);
  if (o.recompute) spec.args.push_back("--recompute");
  add("--checkpoint-steps", context.config.trainer.checkpoint_steps);
  add("--keep-checkpoints", context.config.trainer.keep_checkpoints);
  add("--checkpoint-folder", folder + "/checkpoints");
  if (context.config.trainer.threads > 0) add("--threads", context.config.trainer.threads);
  add("--seed", context.config.seed);
  if (!context.config.chat_template.empty()) add("--chat-template", context.config.chat_template);
  if (context.config.special_tokens_in_text == config::SpecialTokensInText::kParse)
    add("--special-tokens-in-text", "parse");
  add("--run", context.run_dir);
  add("--job-id", job.job_id);
  if (!launch_id.empty()) add("--launch-id", launch_id);
  return spec;
}

}  // namespace srlm::rounds
