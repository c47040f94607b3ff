#include "coordinator/plan/plan.h"

#include <algorithm>

#include "common/config/enums.h"
#include "common/model/cost.h"
#include "common/model/parameters.h"
#include "coordinator/plan/estimate.h"
#include "coordinator/plan/phases.h"

namespace srlm::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSources[] = {"given", "counted", "assumed"};

Json Describe(const Quantity& quantity) {
  return {{"value", quantity.value}, {"source", kSources[static_cast<size_t>(quantity.source)]}};
}

Json Describe(const Lengths& lengths) {
  Json json;
  for (const auto& [name, quantity] : QuantitiesOf(lengths)) json[name] = Describe(quantity);
  return json;
}

Json Describe(const Machine& machine) {
  Json json = {{"name", machine.name},
               {"prefill_flops", machine.prefill_flops},
               {"decode_flops", machine.decode_flops},
               {"train_flops", machine.train_flops},
               {"load_seconds", machine.load_seconds},
               {"train_load_seconds", machine.train_load_seconds}};
  if (machine.step_seconds > 0) json["step_seconds"] = machine.step_seconds;
  if (machine.weight_bytes_s > 0) json["weight_bytes_per_second"] = machine.weight_bytes_s;
  if (machine.memory_bytes > 0) json["memory_bytes"] = machine.memory_bytes;
  return json;
}

Json Describe(const WorkerMemory& memory) {
  return {{"bytes", memory.total()},
          {"weights", memory.weights},
          {"kv_cache", memory.kv_cache},
          {"activations", memory.activations},
          {"base", memory.base}};
}

Json Describe(const TrainerMemory& memory) {
  return {{"bytes", memory.total()},
          {"weights", memory.weights},
          {"gradients", memory.gradients},
          {"optimizer", memory.optimiser},
          {"activations", memory.activations},
          {"logits", memory.logits},
          {"communication", memory.communication},
          {"base", memory.base}};
}

Json Layout(const config::RunConfig& config) {
  const config::WorkersConfig& workers = config.workers;
  return {{"workers.replicas", workers.replicas},
          {"workers.tensor_parallel", workers.tensor_parallel},
          {"workers.max_batch", workers.max_batch},
          {"workers.kv_cache_mib", workers.kv_cache_mib},
          {"trainer.ranks", config.trainer.ranks},
          {"trainer.sharding", config::NameOf(config.trainer.sharding)},
          {"sft.activation_checkpointing", config::NameOf(config.sft.activation_checkpointing)},
          {"sft.micro_batch_tokens", config.sft.micro_batch_tokens},
          {"dpo.activation_checkpointing", config::NameOf(config.dpo.activation_checkpointing)},
          {"dpo.micro_batch_tokens", config.dpo.micro_batch_tokens}};
}

}  // namespace

nlohmann::ordered_json MakePlan(const config::RunConfig& config, const model::ModelConfig& model,
                                const Lengths& lengths, const Machine& machine, const Precision& precision) {
  const Phase sft = PhaseOfSft(config, lengths);
  std::vector<Phase> all = PhasesOfRound(config, lengths);
  all.insert(all.begin(), sft);
  Json plan;
  plan["model"] = {{"family", model.model_type},
                   {"parameters", model::MakeParameterTable(model).total_elements},
                   {"kv_bytes_per_token", model::KvElements(model) * precision.kv}};
  plan["lengths"] = Describe(lengths);
  plan["machine"] = Describe(machine);
  plan["layout"] = Layout(config);
  plan["worker"] = Describe(PeakOfWorker(all, model, config.workers, precision));
  plan["trainer"] = Describe(PeakOfTrainer(all, model, config, precision));
  double round_seconds = 0, round_hours = 0, round_flops = 0;
  for (const Phase& phase : all) {
    const double seconds = machine.known() ? SecondsOf(phase, model, config, machine, precision) : 0;
    const int ranks =
        phase.training.empty() ? config.workers.replicas * config.workers.tensor_parallel : config.trainer.ranks;
    Json row = {{"phase", phase.name},
                {"tokens", TokensOf(phase)},
                {"flops", FlopsOf(phase, model)},
                {"seconds", seconds},
                {"rank_hours", seconds * ranks / 3600}};
    for (const Serving& serving : phase.serving) {
      row["serving"].push_back(
          {{"what", serving.what},
           {"requests", serving.requests},
           {"read_tokens", serving.prefilled()},
           {"written_tokens", serving.decoded()},
           {"batch", serving.samples > 0 ? BatchOf(serving, model, config.workers, precision) : 0}});
    }
    for (const Training& training : phase.training) {
      row["training"] = {{"rows", training.rows},
                         {"steps", training.steps},
                         {"global_batch", training.global_batch},
                         {"tokens_a_row", training.tokens}};
    }
    plan["phases"].push_back(row);
    if (phase.name == sft.name) continue;
    round_seconds += seconds;
    round_hours += seconds * ranks / 3600;
    round_flops += FlopsOf(phase, model);
  }
  if (!machine.known()) {
    for (Json& row : plan["phases"]) row["seconds"] = row["rank_hours"] = nullptr;
    plan["round"] = {{"seconds", nullptr}, {"rank_hours", nullptr}, {"flops", round_flops}};
    plan["disk_bytes"] = DiskOf(config, model, all);
    return plan;
  }
  plan["round"] = {{"seconds", round_seconds}, {"rank_hours", round_hours}, {"flops", round_flops}};
  plan["disk_bytes"] = DiskOf(config, model, all);
  return plan;
}

}  // namespace srlm::plan
