#include <cstdio>

#include "common/base/file.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/export_rows.h"
#include "coordinator/cli/output.h"

namespace srlm::cli {
namespace {

using Json = nlohmann::ordered_json;

Status ToOutput(RunReader& run, const ExportOptions& options, int64_t* rows) {
  return ExportRows(run, options.kind, options.round, [&](const Json& row) -> Status {
    ++*rows;
    return Print(row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  });
}

/// The file is whole or as it was before. Rows are written as text here, in their own order of fields.
Status ToFile(RunReader& run, const ExportOptions& options, int64_t* rows) {
  std::string content;
  SRLM_RETURN_IF_ERROR(ExportRows(run, options.kind, options.round, [&](const Json& row) {
    ++*rows;
    content += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    return OkStatus();
  }));
  return WriteFileAtomic(options.out, content);
}

}  // namespace

int Export(const ExportOptions& options) {
  if (!options.out.empty()) {
    if (const Status writable = CheckWritable(options.out); !writable.ok()) return Fail(writable);
  }
  auto run = OpenRun(options.run_dir);
  if (!run.ok()) return Fail(run.status());
  int64_t rows = 0;
  const Status written = options.out.empty() ? ToOutput(**run, options, &rows) : ToFile(**run, options, &rows);
  if (!written.ok()) return Finish(written);
  std::fprintf(stderr, "%lld rows\n", static_cast<long long>(rows));
  return kExitDone;
}

}  // namespace srlm::cli
