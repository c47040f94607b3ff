#include "trainer/job/job_log.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace srlm::trainer {
namespace {

namespace fs = std::filesystem;

/// Whether a line is the whole row of a step below `first_step`.
bool IsEarlierStep(const std::string& line, int64_t first_step) {
  const auto row = nlohmann::json::parse(line, nullptr, false);
  const auto step = row.is_object() ? row.find("step") : row.end();
  return step != row.end() && step->is_number_integer() && step->get<int64_t>() < first_step;
}

Status Cut(const std::string& path, int64_t first_step) {
  SRLM_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  std::string kept;
  for (size_t at = 0, end = 0; (end = content.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = content.substr(at, end - at);
    if (IsEarlierStep(line, first_step)) kept += line + "\n";
  }
  if (kept.size() == content.size()) return OkStatus();
  return WriteFileAtomic(path, kept);
}

}  // namespace

Result<JobLog> JobLog::Open(const std::string& path, int64_t first_step) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    const fs::path real = fs::canonical(path, error);  // a link stays, and its file is cut
    SRLM_RETURN_IF_ERROR(Cut(error ? path : real.string(), first_step));
  }
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Append(path));
  return JobLog(std::move(writer));
}

Status JobLog::Write(const nlohmann::ordered_json& row) { return writer_.Write(row); }

}  // namespace srlm::trainer
