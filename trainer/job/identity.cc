#include "trainer/job/identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

namespace srlm::trainer {

checkpoint::JobIdentity IdentityOf(const TrainerOptions& options, const std::string& model_id,
                                   const std::string& data_sha256, int64_t total_steps,
                                   std::span<const int64_t> threads) {
  checkpoint::JobIdentity identity{model_id, data_sha256, {}};
  const auto set = [&](const std::string& name, const auto& value) {
    identity.settings[name] = fmt::format("{}", value);
  };
  set("method", options.method == Method::kDpo ? "dpo" : "sft");
  set("learning_rate", options.learning_rate);
  set("final_learning_rate", options.final_learning_rate);
  set("schedule", options.schedule == Schedule::kCosine ? "cosine" : "constant");
  set("warmup_ratio", options.warmup_ratio);
  set("beta", options.beta);
  set("loss", options.loss);
  set("label_smoothing", options.label_smoothing);
  set("length_normalised", options.length_normalised);
  set("nll_weight", options.nll_weight);
  set("sft_share", options.sft_data.empty() ? 0 : options.sft_share);
  set("sft_weight", options.sft_data.empty() ? 0 : options.sft_weight);
  set("global_batch", options.global_batch);
  set("micro_batch_tokens", options.micro_batch_tokens);
  set("steps", total_steps);
  set("adam_beta1", options.adam_beta1);
  set("adam_beta2", options.adam_beta2);
  set("weight_decay", options.weight_decay);
  set("max_grad_norm", options.max_grad_norm);
  if (options.dropout > 0) set("dropout", options.dropout);
  if (options.lora.rank > 0) {
    std::vector<std::string_view> targets;
    for (const config::LoraTarget target : options.lora.targets) targets.push_back(config::NameOf(target));
    set("lora", fmt::format("rank {}, alpha {}, {}", options.lora.rank, options.lora.alpha, fmt::join(targets, " ")));
  }
  if (options.device.device != config::Device::kCpu) {
    set("device", config::NameOf(options.device.device));
    set("numbers", options.device.bfloat16() ? "bfloat16" : "float32");
  }
  set("shuffle", options.shuffle);
  set("seed", options.seed);
  set(kRanks, threads.size());
  set(kThreads, fmt::format("{}", fmt::join(threads, ",")));
  return identity;
}

int ThreadsOf(const checkpoint::JobIdentity& identity, int rank) {
  std::istringstream of_ranks(identity.settings.at(kThreads));
  int threads = 0;
  for (int i = 0; i <= rank; ++i) {
    of_ranks >> threads;
    of_ranks.ignore(1);
  }
  return threads;
}

std::string DifferenceTo(const checkpoint::JobIdentity& there, checkpoint::JobIdentity now,
                         const TrainerOptions& options) {
  const auto ranks = there.settings.find(kRanks), threads = there.settings.find(kThreads);
  if (ranks == there.settings.end() || threads == there.settings.end()) return checkpoint::Difference(there, now);
  const bool as_many = ranks->second == now.settings[kRanks];
  now.settings[kRanks] = ranks->second;
  if (!as_many || options.threads == 0) now.settings[kThreads] = threads->second;
  return checkpoint::Difference(there, now);
}

}  // namespace srlm::trainer
