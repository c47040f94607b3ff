// What a command made, as files that belong together, and what of it is missing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/data/source.h"
#include "coordinator/prepare/options.h"
#include "coordinator/prepare/report.h"

namespace srlm::prepare {

struct Results {
  std::vector<nlohmann::ordered_json> ift;
  std::vector<nlohmann::ordered_json> eft;
  std::vector<nlohmann::ordered_json> evaluation;
  std::vector<data::Reject> rejects;
  Report report;
};

/// Which result has no row though options ask for it, and why; empty: all is there. `ranked`: whether the sources have
/// a prompt that people ranked.
std::string WhatIsMissing(const Options& options, const Report& report, bool ranked);

/// Writes options.out/{ift,eft,evaluation,rejects}.jsonl and, as the last, report.json. All is on the disk under other
/// names before a name is taken, and a result without rows leaves none from before: the files are of one command.
Status WriteResults(const Options& options, const Results& results);

/// `failed`, with the files that were written all the same.
std::string WithFiles(const std::string& failed, const Options& options, const Results& results);

}  // namespace srlm::prepare
