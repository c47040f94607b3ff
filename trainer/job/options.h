// What one training job is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/device.h"
#include "common/model/lora.h"
#include "trainer/optimizer/schedule.h"

namespace srlm::trainer {

enum class Method { kSft, kDpo };

struct TrainerOptions {
  Method method = Method::kDpo;
  std::string model;              // folder
  std::vector<std::string> data;  // JSON Lines, one or several
  std::string out;                // model folder to make; empty only to print log-probabilities

  // Optimisation. Learning rates: the paper's for the method.
  double learning_rate = 0;
  double final_learning_rate = 0;
  Schedule schedule = Schedule::kCosine;
  double warmup_ratio = 0;
  std::string loss = "sigmoid";  // DPO, as what follows to sft_weight: a name of losses/logit_loss.h
  double beta = 0.1;
  double label_smoothing = 0;         // how often labels are wrong
  bool length_normalised = false;     // log-ratios are divided by the answers' tokens
  double nll_weight = 0;              // of the chosen answer's mean token NLL
  std::vector<std::string> sft_data;  // SFT rows that are mixed into its steps; empty: none
  double sft_share = 0;               // rows for each pair
  double sft_weight = 1;              // of the rows' loss
  int64_t global_batch = 16;
  int64_t micro_batch_tokens = 1024;
  double epochs = 1;
  int64_t max_steps = 0;  // 0: as the epochs say
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.95;
  double weight_decay = 0.1;
  double max_grad_norm = 1.0;
  double dropout = 0;
  bool shuffle = true;
  uint64_t seed = 1;
  config::ActivationCheckpointing activation_checkpointing = config::ActivationCheckpointing::kNone;
  config::Sharding sharding = config::Sharding::kNone;
  model::LoraOptions lora;
  config::LoraSave lora_save = config::LoraSave::kMerged;

  // Text.
  std::string chat_template;  // file; empty: the model's
  bool parse_special_tokens = false;
  std::string judge_template;  // file, for EFT rows of SFT data; empty: the built-in one

  // Machine.
  config::DeviceChoice device;
  int threads = 0;         // 0: cores / ranks on this host
  double timeout_s = 600;  // of each wait for other ranks

  // Output beside the model.
  std::string log;                // JSON Lines, one row a step; empty: none
  std::string trace;              // folder for rank-<r>.json, when the job is done; empty: none
  std::string print_logprobs;     // JSON Lines, one row a sample, before training; empty: none
  std::string checkpoint_folder;  // empty: OUT + ".checkpoints"
  int64_t checkpoint_steps = 0;   // between checkpoints, and one at the end; 0: none
  int keep_checkpoints = 2;
  int64_t save_steps = 0;  // 0: OUT is the job's last model; else OUT.step-<n> after every so many steps and the last
  bool resume = true;      // go on from the newest whole checkpoint of this job

  // A job of a run; empty when it works alone.
  std::string run;
  std::string job_id;
  std::string launch_id;
};

/// Where the job's checkpoints are.
inline std::string CheckpointFolderOf(const TrainerOptions& options) {
  return options.checkpoint_folder.empty() ? options.out + ".checkpoints" : options.checkpoint_folder;
}

}  // namespace srlm::trainer
