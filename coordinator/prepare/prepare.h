// `srlm prepare`: seed data the paper's way, out of answers that people ranked.
#pragma once

#include "common/base/status.h"
#include "coordinator/prepare/options.h"
#include "coordinator/prepare/report.h"

namespace srlm::prepare {

/// Reads, selects and writes options.out/{ift,evaluation,rejects}.jsonl and report.json; eft.jsonl from ready-made
/// rows. Each file is whole or as it was. The same options and files give the same bytes. FailedPrecondition when a
/// result would be empty; rejects.jsonl and report.json are written then too, to show why.
Result<Report> Prepare(const Options& options);

}  // namespace srlm::prepare
