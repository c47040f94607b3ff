#include "coordinator/cli/measuring.h"

#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/version.h"
#include "common/config/config.h"
#include "coordinator/cli/output.h"
#include "coordinator/cli/run_inputs.h"
#include "coordinator/cli/run_reader.h"

namespace srlm::cli {
namespace {

using measure::Json;

/// What the run was trained on: its files, and the prompts of its rounds, which a model wrote.
Status AddRun(const std::string& run_dir, data::OverlapIndex& index) {
  SRLM_ASSIGN_OR_RETURN(const config::RunConfig config, config::Load(run_dir + "/config.yaml"));
  const Status files = measure::AddTrainingPrompts(config, index);
  if (!files.ok()) return files.WithContext(run_dir + ": its training data cannot be compared with (--overlap allow)");
  SRLM_ASSIGN_OR_RETURN(const auto run, OpenRun(run_dir));
  SRLM_ASSIGN_OR_RETURN(const auto rows, ReadRows(*run, "prompts", 0, 0));
  for (const Json& row : rows) {
    const std::string state = row.value("state", "");
    if (state == "rejected" || state == "surplus" || state == "failed") continue;
    index.Add(row.value("prompt", ""),
              fmt::format("round {}, prompt {}", row.value("round", 0), row.value("prompt_id", "")));
  }
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<Measuring>> Measuring::Make(const MeasureOptions& options,
                                                   const std::vector<measure::NamedModel>& models) {
  std::unique_ptr<Measuring> made(new Measuring(options));
  std::set<std::string> runs;
  for (const measure::NamedModel& model : models) {
    if (model.run_dir.empty()) continue;
    if (made->run_dir_.empty()) made->run_dir_ = model.run_dir;
    if (runs.insert(model.run_dir).second && options.overlap != "allow")
      SRLM_RETURN_IF_ERROR(AddRun(model.run_dir, made->trained_on_));
  }
  measure::FileWorker::Options worker;
  worker.program = ProgramFolder() + "/srlm-worker";
  worker.threads = options.threads;
  worker.ranks = options.tensor_parallel;
  worker.device = options.device;
  worker.stopped = [signals = &made->signals_] { return signals->Wait(-1, Deadline::AfterSeconds(0)) != 0; };
  worker.say = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  SRLM_ASSIGN_OR_RETURN(made->worker_, measure::FileWorker::Make(std::move(worker)));
  return made;
}

Result<std::vector<bool>> Measuring::Choose(const std::string& path, const std::vector<std::string>& prompts,
                                            Json& description) const {
  const std::set<std::string> different(prompts.begin(), prompts.end());
  const std::vector<std::string> texts(different.begin(), different.end());
  const auto overlaps = measure::FindOverlaps(trained_on_, texts);
  if (!overlaps.empty() && options_.overlap == "refuse")
    return measure::OverlapProblem(path, texts, overlaps, "what the run was trained on",
                                   "figures on them say nothing of new prompts. --overlap leave-out measures on the "
                                   "others, --overlap allow on all");
  std::set<std::string> left_out, used;
  for (const measure::Overlap& overlap : overlaps) left_out.insert(texts[overlap.prompt]);
  std::vector<bool> chosen;
  for (const std::string& prompt : prompts) {
    const bool fits = options_.limit == 0 || used.contains(prompt) || static_cast<int>(used.size()) < options_.limit;
    chosen.push_back(fits && !left_out.contains(prompt));
    if (chosen.back()) used.insert(prompt);
  }
  if (used.empty()) return InvalidArgument(path + ": every prompt was trained on; none is left to measure on");
  SRLM_ASSIGN_OR_RETURN(description, DescribeFile(path));
  description["prompts"] = used.size();
  description["left_out"] = left_out.size();
  return chosen;
}

Status Measuring::Begin(const std::string& kind, const Json& asked, const Json& models) {
  kind_ = kind;
  std::string path = options_.out;
  if (path.empty() && !run_dir_.empty()) {
    SRLM_RETURN_IF_ERROR(MakeFolders(run_dir_ + "/evaluations"));
    std::string question = asked.dump();
    for (Json model : models) {
      model.erase("model");  // the same model by another name is the same question
      question += model.dump();
    }
    path = fmt::format("{}/evaluations/{}-{}.json", run_dir_, kind, Sha256(question).substr(0, 12));
  }
  if (path.empty()) return OkStatus();
  SRLM_ASSIGN_OR_RETURN(file_, ResultFile::Begin(path));
  return OkStatus();
}

std::string Measuring::Whole(const Json& result) const {
  Json whole = {{"kind", kind_}, {"version", kVersion}};
  whole.update(result);
  return whole.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status Measuring::Keep(const Json& result) { return file_ == nullptr ? OkStatus() : file_->Keep(Whole(result)); }

Status Measuring::Finish(const Json& result, const std::string& text) {
  const std::string json = Whole(result);
  if (file_ != nullptr) {
    if (const Status stored = file_->Finish(json); !stored.ok()) {
      (void)Print(options_.json ? json : text);
      return stored;
    }
    std::fprintf(stderr, "stored in %s\n", file_->path().c_str());
  }
  return Print(options_.json ? json : text);
}

Result<Json> DescribeFile(const std::string& path) {
  if (path.empty()) return Json();
  SRLM_ASSIGN_OR_RETURN(const std::string sha256, Sha256File(path));
  return Json{{"path", path}, {"sha256", sha256}};
}

Result<Json> Describe(const measure::NamedModel& model) {
  Json json = {{"model", model.name}, {"model_id", model.model_id}};
  if (!model.chat_template.empty()) {
    SRLM_ASSIGN_OR_RETURN(json["chat_template"], DescribeFile(model.chat_template));
  }
  return json;
}

Result<Json> Describe(const measure::Judging& judging) {
  Json json = measure::ToJson(judging);
  SRLM_ASSIGN_OR_RETURN(json["template"], DescribeFile(judging.judge_template));
  return json;
}

std::string DescribeFigure(const Json& figure, int digits) {
  if (figure.is_number()) return fmt::format("{:.{}f}", figure.get<double>(), digits);
  if (figure.is_null() || figure["n"] == 0) return "-";
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}] n {}", figure["value"].get<double>(), digits,
                     figure["low"].get<double>(), digits, figure["high"].get<double>(), digits,
                     figure["n"].get<int64_t>());
}

}  // namespace srlm::cli
