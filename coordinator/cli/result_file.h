// The file of a result that takes long to compute.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"

namespace srlm::cli {

/// What is there of a result before it is whole lies in PATH.partial, and stays when the rest fails: then stderr says
/// where. PATH is whole or as it was before.
class ResultFile {
 public:
  /// Fails when `path` cannot be written, or is no file that another can take the place of; tries it.
  static Result<std::unique_ptr<ResultFile>> Begin(const std::string& path);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  const std::string& path() const { return path_; }
  /// `content` is what there is so far, in place of what was kept before.
  Status Keep(const std::string& content);
  /// `content` is the whole.
  Status Finish(const std::string& content);

 private:
  explicit ResultFile(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {}
  const std::string path_;
  const std::string partial_;
  bool kept_ = false;
};

}  // namespace srlm::cli
