// Saving a model as a folder that transformers loads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "common/base/manifest.h"
#include "common/base/status.h"
#include "common/model/parameters.h"

namespace srlm::model {

/// Which job a model was saved by, and after which step, where that is told.
inline constexpr char kJobFile[] = "srlm_job.json";

struct SaveOptions {
  int64_t max_shard_bytes = int64_t{5} << 30;  // more weights go into several files with an index
  std::string job_json;                        // content of kJobFile in the folder; empty: there is none
};

/// A parameter's values. They are asked for once each, in the table's order, and are used before the next is asked for.
using ParameterValues = std::function<Result<std::span<const float>>(const Parameter& parameter)>;

/// Writes `folder` with float32 weights and the configuration, tokenizer and template files of `source_folder`. The
/// folder is made under another name beside, synced, and renamed when whole, with its manifest; an existing `folder` is
/// refused with AlreadyExists. Returns the manifest.
Result<Manifest> SaveModel(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                           const ParameterValues& values, const SaveOptions& options = {});
/// The same of a flat buffer [table.total_elements].
Result<Manifest> SaveModel(const std::string& folder, const std::string& source_folder, const ParameterTable& table,
                           std::span<const float> flat, const SaveOptions& options = {});

/// One safetensors file of float32 parameters, synced; the file must not exist.
Status WriteSafetensors(const std::string& path, std::span<const Parameter> parameters, const ParameterValues& values);

/// Makes `folder` under another name beside, lets `fill` write its files there, adds the manifest, syncs, and renames
/// it when it is whole. An existing `folder` is refused with AlreadyExists. Returns the manifest.
Result<Manifest> SaveFolder(const std::string& folder, const std::function<Status(const std::string& beside)>& fill);

}  // namespace srlm::model
