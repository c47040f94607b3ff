#include "coordinator/rounds/model_book.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "common/base/manifest.h"
#include "common/base/saved_steps.h"
#include "coordinator/rounds/chats.h"

namespace srlm::rounds {
namespace {

std::string Absolute(const std::string& run_dir, const std::string& folder) {
  return (std::filesystem::path(run_dir) / folder).string();  // an absolute folder stays as it is
}

std::string RelativeInside(const std::string& run_dir, const std::string& folder) {
  const std::string relative = std::filesystem::path(folder).lexically_relative(run_dir).string();
  return relative.empty() || relative.starts_with("..") ? folder : relative;
}

}  // namespace

std::string EvaluationJudgeName(const config::RunConfig& config, const std::string& newer) {
  if (HasFixedEvaluationJudge(config)) return "evaluation judge";
  const std::string output = OutputOf(newer);
  return output.empty() ? newer : fmt::format("M{}", std::stoi(output.substr(1)) - 1);
}

Result<std::unique_ptr<ModelBook>> ModelBook::Open(const config::RunConfig& config, const std::string& run_dir,
                                                   ledger::Ledger& ledger) {
  auto book = std::unique_ptr<ModelBook>(new ModelBook(config, run_dir, ledger));
  SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.Models());
  for (const ledger::ModelRow& row : rows)
    book->models_[row.name] = {row.name, row.model_id, Absolute(run_dir, row.folder)};
  for (const ledger::ModelRow& row : rows) book->ForgetSaved(row.name);
  SRLM_RETURN_IF_ERROR(book->NoteOutside("M0", config.model));
  if (HasFixedWriter(config)) SRLM_RETURN_IF_ERROR(book->NoteOutside("writer", config.prompts.writer));
  if (HasFixedJudge(config)) SRLM_RETURN_IF_ERROR(book->NoteOutside("judge", config.judge.model));
  if (HasFixedEvaluationJudge(config))
    SRLM_RETURN_IF_ERROR(book->NoteOutside("evaluation judge", config.evaluation.judge));
  return book;
}

Status ModelBook::NoteOutside(const std::string& name, const std::string& folder) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(folder));
  const KnownModel model{name, manifest.ModelId(), std::filesystem::absolute(folder).lexically_normal().string()};
  if (const KnownModel* known = Find(name); known != nullptr && known->model_id != model.model_id)
    return FailedPrecondition(
        fmt::format("{}: this run began with other files there (model id {}, now {}); put them back or start a new run",
                    folder, known->model_id, model.model_id));
  models_[name] = model;
  return ledger_.AddModel({name, model.model_id, model.folder, ""}).status();
}

Result<KnownModel> ModelBook::AddTrained(const std::string& name, const std::string& folder,
                                         const std::string& model_id, const std::string& job_id) {
  SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(folder));
  if (manifest.ModelId() != model_id)
    return DataLoss(
        fmt::format("{}: the folder's model id is {}, the trainer reported {}", folder, manifest.ModelId(), model_id));
  const KnownModel model{name, model_id, std::filesystem::absolute(folder).lexically_normal().string()};
  SRLM_RETURN_IF_ERROR(ledger_.AddModel({name, model_id, RelativeInside(run_dir_, model.folder), job_id}).status());
  models_[name] = model;
  ForgetSaved(name);
  return model;
}

void ModelBook::ForgetSaved(const std::string& output) {
  std::erase_if(models_, [&](const auto& model) { return OutputOf(model.first) == output; });
}

const KnownModel* ModelBook::Find(const std::string& name) const {
  const auto model = models_.find(name);
  return model == models_.end() ? nullptr : &model->second;
}

const KnownModel* ModelBook::FindById(const std::string& model_id) const {
  for (const auto& [name, model] : models_)
    if (model.model_id == model_id) return &model;
  return nullptr;
}

int ModelBook::Newest() const {
  int newest = 0;
  while (models_.contains(fmt::format("M{}", newest + 1))) ++newest;
  return newest;
}

const KnownModel& ModelBook::WriterFor(const std::string& policy) const {
  const std::string& writer = config_.prompts.writer;
  return models_.at(writer == "policy" ? policy : writer == "base" ? "M0" : "writer");
}

const KnownModel& ModelBook::JudgeFor(const std::string& policy) const {
  return models_.at(config_.judge.model == "policy" ? policy : "judge");
}

const KnownModel& ModelBook::EvaluationJudgeFor(const std::string& newer) const {
  return models_.at(EvaluationJudgeName(config_, newer));
}

Result<const text::Chat*> ModelBook::ChatOf(const KnownModel& model) {
  std::unique_ptr<text::Chat>& chat = chats_[model.folder];
  if (chat == nullptr) {
    const bool outside = model.name == "writer" || model.name == "judge" || model.name == "evaluation judge";
    SRLM_ASSIGN_OR_RETURN(chat,
                          outside ? LoadOutsideChat(config_, model.folder) : LoadPolicyChat(config_, model.folder));
  }
  return static_cast<const text::Chat*>(chat.get());
}

Result<std::vector<std::string>> ModelBook::Texts(const KnownModel& model, const v1::ItemResult& result) {
  std::vector<std::string> texts;
  if (result.samples().empty()) return texts;
  SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, ChatOf(model));
  for (const v1::SampleOutput& sample : result.samples()) {
    const std::vector<int> ids(sample.token_ids().begin(), sample.token_ids().end());
    SRLM_ASSIGN_OR_RETURN(std::string text, chat->tokenizer().Decode(ids, true));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<const text::Choices*> ModelBook::ScoreChoicesOf(const KnownModel& model) {
  return ChoicesOf(model, score_choices_, ScoreChoices);
}

Result<const text::Choices*> ModelBook::PairChoicesOf(const KnownModel& model) {
  return ChoicesOf(model, pair_choices_, PairChoices);
}

Result<const text::Choices*> ModelBook::ChoicesOf(const KnownModel& model, ChoicesByFolder& known,
                                                  Result<text::Choices> (*find)(const text::Chat& chat)) {
  std::unique_ptr<text::Choices>& choices = known[model.folder];
  if (choices == nullptr) {
    SRLM_ASSIGN_OR_RETURN(const text::Chat* chat, ChatOf(model));
    SRLM_ASSIGN_OR_RETURN(text::Choices found, find(*chat));
    choices = std::make_unique<text::Choices>(std::move(found));
  }
  return static_cast<const text::Choices*>(choices.get());
}

}  // namespace srlm::rounds
