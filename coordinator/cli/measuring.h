// What `srlm evaluate` and `srlm compare` have in common: the worker, the check of their data, where results go, and
// what they say was asked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/data/figure.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/result_file.h"
#include "coordinator/cli/signals.h"
#include "coordinator/measure/file_worker.h"
#include "coordinator/measure/training_texts.h"

namespace srlm::cli {

class Measuring {
 public:
  /// `models` are those that are measured; what their runs were trained on may not be in the data.
  static Result<std::unique_ptr<Measuring>> Make(const MeasureOptions& options,
                                                 const std::vector<measure::NamedModel>& models);

  measure::FileWorker& worker() { return *worker_; }

  /// The prompts that are measured on: whether to use each of `prompts` of the file `path`, whose distinct texts are
  /// counted against --limit. InvalidArgument when some overlap what was trained on and --overlap refuses that, or none
  /// is left. `description` gets {"path", "sha256", "prompts", "left_out"}.
  Result<std::vector<bool>> Choose(const std::string& path, const std::vector<std::string>& prompts,
                                   measure::Json& description) const;

  /// Before anything is computed: where the result goes, which fails when it cannot be written there. That is --out,
  /// else RUN/evaluations of the first model's run, by `kind` and a hash of what is `asked` of which `models` (a
  /// list of Describe), so that the same question replaces its answer.
  Status Begin(const std::string& kind, const measure::Json& asked, const measure::Json& models);
  /// Keeps what is measured so far (ResultFile).
  Status Keep(const measure::Json& result);
  /// Stores the result and prints `text`, or with --json the result.
  Status Finish(const measure::Json& result, const std::string& text);

 private:
  explicit Measuring(const MeasureOptions& options) : options_(options) {}
  std::string Whole(const measure::Json& result) const;
  MeasureOptions options_;
  StopSignals signals_;
  std::unique_ptr<measure::FileWorker> worker_;
  data::OverlapIndex trained_on_;
  std::string run_dir_;  // of the first model that has one
  std::string kind_;
  std::unique_ptr<ResultFile> file_;  // null: no place was named
};

/// {"path", "sha256"} of a file, so that another content is another question; null for no file.
Result<measure::Json> DescribeFile(const std::string& path);

/// {"model", "model_id"}, and "chat_template" where it is not the folder's own.
Result<measure::Json> Describe(const measure::NamedModel& model);

/// How a judge is asked, with the "template" of the command line.
Result<measure::Json> Describe(const measure::Judging& judging);

/// `0.74 [0.65, 0.82] n 90` of a figure's JSON, or a number alone; `-` when n is 0, or null.
std::string DescribeFigure(const measure::Json& figure, int digits = 2);

}  // namespace srlm::cli
