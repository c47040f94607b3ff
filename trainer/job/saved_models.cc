#include "trainer/job/saved_models.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/json_file.h"
#include "common/base/log.h"
#include "common/base/saved_steps.h"
#include "common/model/save.h"
#include "trainer/job/identity.h"

namespace srlm::trainer {
namespace {

std::string ToText(const checkpoint::TrainingState& state) {
  const nlohmann::ordered_json json = {{"step", state.step},
                                       {"model_id", state.identity.model_id},
                                       {"data_sha256", state.identity.data_sha256},
                                       {"settings", state.identity.settings}};
  return json.dump(1) + "\n";
}

Result<checkpoint::JobIdentity> ReadIdentity(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const nlohmann::json json, ReadJsonObject(path));
  try {
    checkpoint::JobIdentity identity;
    json.at("model_id").get_to(identity.model_id);
    json.at("data_sha256").get_to(identity.data_sha256);
    json.at("settings").get_to(identity.settings);
    return identity;
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument(fmt::format("{}: {}", path, error.what()));
  }
}

}  // namespace

Status SavedModels::Check(const checkpoint::TrainingState& state) const {
  for (const int64_t step : SavedSteps(options_.save_steps, total_steps_)) {
    const std::string folder = SavedName(options_.out, step);
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
      if (step > state.step || step == total_steps_) continue;
      return FailedPrecondition(
          fmt::format("{}: is missing, and the job's checkpoint is of step {}. Begin anew with --resume false, or "
                      "without --save-steps",
                      folder, state.step));
    }
    const auto there = ReadIdentity(folder + "/" + model::kJobFile);
    const std::string difference =
        there.ok() ? DifferenceTo(*there, state.identity, options_) : there.status().message();
    if (!difference.empty())
      return FailedPrecondition(
          fmt::format("{}: a model of another job: {}. Give --out another name, or delete it", folder, difference));
  }
  return OkStatus();
}

Result<Manifest> SavedModels::Save(const checkpoint::TrainingState& state, const model::ParameterTable& table,
                                   const model::ParameterValues& values) const {
  const std::string folder = SavedName(options_.out, state.step);
  std::error_code error;
  if (std::filesystem::exists(folder, error)) return ReadManifest(folder);
  auto manifest = model::SaveModel(folder, options_.model, table, values, {.job_json = ToText(state)});
  if (manifest.ok()) LogInfo("model_saved", {{"step", state.step}, {"folder", folder}});
  return manifest;
}

}  // namespace srlm::trainer
