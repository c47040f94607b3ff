// `srlm prepare`: seed data the paper's way, out of answers that people ranked.
#pragma once

#include <functional>
#include <string>

#include "common/base/status.h"
#include "coordinator/prepare/options.h"
#include "coordinator/prepare/report.h"

namespace srlm::prepare {

/// What the process around it gives.
struct Surroundings {
  std::string worker;                           // path of srlm-worker
  std::function<bool()> stopped;                // whether to end early; asked often while a model writes
  std::function<void(const std::string&)> say;  // progress, a line each
};

/// Reads, selects and writes options.out/{ift,eft,evaluation,rejects}.jsonl and report.json; eft.jsonl when a model or
/// ready-made rows are given. The same options and files give the same bytes.
/// FailedPrecondition when a result would be empty or the model fails: then what there is is written all the same, and
/// report.json says what failed. With any other failure the folder's files stay as they were: what cannot be read, no
/// room, or Aborted when stopped (what the model has written is in options.out/work, and the next start goes on with
/// it).
Result<Report> Prepare(const Options& options, const Surroundings& surroundings);

}  // namespace srlm::prepare
