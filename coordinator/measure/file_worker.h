// The file commands of srlm-worker, run for a measurement.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/base/temporary_folder.h"
#include "common/config/device.h"
#include "coordinator/measure/named_model.h"

namespace srlm::measure {

using Json = nlohmann::ordered_json;

class FileWorker {
 public:
  struct Options {
    std::string program;  // srlm-worker's path
    int threads = 0;      // of a rank; 0: all cores
    int ranks = 1;        // that hold a model together
    config::DeviceChoice device;
    std::function<bool()> stopped;                // as of launcher::FileCommand
    std::function<void(const std::string&)> say;  // takes a line about what begins
  };

  /// Makes a folder for the files, in TMPDIR; it goes with this object.
  static Result<std::unique_ptr<FileWorker>> Make(Options options);
  FileWorker(const FileWorker&) = delete;
  FileWorker& operator=(const FileWorker&) = delete;

  /// Tells the person what begins.
  void Say(const std::string& line) const { options_.say(line); }

  /// `srlm-worker COMMAND` (generate, judge, logprobs) of `model` on `rows` with `flags`; one output row an input row
  /// (an answer of generate), in order. As launcher::RunFileCommand when it is stopped or fails.
  Result<std::vector<nlohmann::json>> Run(const NamedModel& model, const std::string& command,
                                          const std::vector<Json>& rows, const std::vector<std::string>& flags);

 private:
  FileWorker(Options options, TemporaryFolder folder) : options_(std::move(options)), folder_(std::move(folder)) {}
  Options options_;
  TemporaryFolder folder_;
};

}  // namespace srlm::measure
