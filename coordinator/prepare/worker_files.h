// `srlm-worker generate`, a part of the questions at a time, each part kept: a command that was stopped goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/prepare/writer.h"

namespace srlm::prepare {

struct WorkerSettings {
  std::string program;        // path of srlm-worker
  std::string model;          // folder
  std::string chat_template;  // empty: the model's
  std::string folder;         // for its files; made when missing
  int threads = 0;            // 0: all cores
  int max_batch = 32;
  double temperature = 0.7;
  double top_p = 0.9;
  int max_new_tokens = 160;
  uint64_t seed = 1;
  double part_timeout_s = 21600;                // longest time of one part
  std::function<bool()> stopped;                // as of launcher::FileCommand
  std::function<void(const std::string&)> say;  // progress, a line each
};

class WorkerFiles : public Writer {
 public:
  /// NotFound when the program, the model or the chat template is not there.
  static Result<std::unique_ptr<WorkerFiles>> Open(WorkerSettings settings);

  /// Aborted when `stopped` says so: parts that are done stay. DeadlineExceeded for a part that takes too long;
  /// FailedPrecondition with the worker's last words when it fails.
  Result<std::vector<std::vector<Written>>> Write(std::span<const Question> questions, int samples) override;

  const std::string& model_id() const { return model_id_; }
  /// SHA-256 of settings.chat_template; empty without one.
  const std::string& chat_template_sha256() const { return chat_template_sha256_; }

 private:
  WorkerFiles(WorkerSettings settings, std::string model_id, std::string chat_template_sha256)
      : settings_(std::move(settings)),
        model_id_(std::move(model_id)),
        chat_template_sha256_(std::move(chat_template_sha256)) {}
  std::vector<std::string> Arguments(int samples) const;
  Result<std::string> WritePart(std::span<const Question> questions, int samples);

  const WorkerSettings settings_;
  const std::string model_id_;
  const std::string chat_template_sha256_;
};

}  // namespace srlm::prepare
