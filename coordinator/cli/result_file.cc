#include "coordinator/cli/result_file.h"

#include <cstdio>
#include <filesystem>

#include "common/base/file.h"

namespace srlm::cli {

Result<std::unique_ptr<ResultFile>> ResultFile::Begin(const std::string& path) {
  SRLM_RETURN_IF_ERROR(CheckWritable(path));
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error))
    return InvalidArgument(path + ": no regular file; name one that the result can be stored in");
  const std::string trial = path + ".trial";
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(trial, ""));
  std::filesystem::remove(trial, error);
  return std::unique_ptr<ResultFile>(new ResultFile(path));
}

ResultFile::~ResultFile() {
  if (kept_) std::fprintf(stderr, "what there is until now is in %s\n", partial_.c_str());
}

Status ResultFile::Keep(const std::string& content) {
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(partial_, content));
  kept_ = true;
  return OkStatus();
}

Status ResultFile::Finish(const std::string& content) {
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(path_, content));
  std::error_code error;
  std::filesystem::remove(partial_, error);
  kept_ = false;
  return OkStatus();
}

}  // namespace srlm::cli
