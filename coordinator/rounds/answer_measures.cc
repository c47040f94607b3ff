#include "coordinator/rounds/answer_measures.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "common/base/hash.h"
#include "common/base/saved_steps.h"
#include "common/data/answer_figures.h"
#include "common/data/judge_metrics.h"
#include "coordinator/rounds/evaluation_items.h"
#include "coordinator/rounds/ranked_judging.h"

namespace srlm::rounds {
namespace {

std::string ItemId(const Context& context, const schedule::Subject& subject) {
  switch (subject.purpose) {
    case v1::PURPOSE_EVALUATION_ANSWER:
      return EvaluationAnswerStub(context, subject.model, subject.index).item.item_id();
    case v1::PURPOSE_COMPARISON:
      return ComparisonStub(context, subject.model, subject.other, subject.index, subject.backward).item.item_id();
    default: return HeldOutStub(context, subject.model, subject.index).item.item_id();
  }
}

Result<nlohmann::json> HeldOutFigures(const Context& context, const std::string& model) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, context.ledger.HeldOut(model));
  std::vector<data::ClusteredValue> values;
  for (const ledger::HeldOutRow& row : rows)
    if (row.logprob)
      values.push_back({data::PlainText(context.inputs.held_out.at(static_cast<size_t>(row.answer)).prompt),
                        *row.logprob, static_cast<double>(row.tokens)});
  return nlohmann::json{{"logprob_per_token", data::ToJson(data::ClusteredRatio(values, context.config.seed))},
                        {"failed", rows.size() - values.size()}};
}

Result<nlohmann::json> AnswerFigures(const Context& context, const std::string& model) {
  SRLM_ASSIGN_OR_RETURN(const auto rows, context.ledger.EvaluationAnswers(model));
  std::vector<data::Answer> answers;
  for (const ledger::EvaluationAnswerRow& row : rows)
    answers.push_back({row.prompt_id, row.text, static_cast<int64_t>(row.token_ids.size()), row.cut, row.reason});
  return data::DescribeAnswers(answers, context.config.seed);
}

}  // namespace

data::OrderVerdict OrderOf(const std::vector<ledger::ComparisonRow>& votes) {
  std::vector<std::optional<data::PairVerdict>> verdicts;
  for (const ledger::ComparisonRow& vote : votes) {
    verdicts.push_back(data::PairVerdictFromName(vote.verdict));
    if (vote.vote == kExpectedVote && vote.prefers_first) return {verdicts.back(), vote.prefers_first};
  }
  return data::VerdictOfVotes(verdicts);
}

AnswerMeasures::AnswerMeasures(const Context& context, int number)
    : context_(context), model_(fmt::format("M{}", number)), other_(fmt::format("M{}", number - 1)) {
  if (number == 1) measured_.push_back(other_);
  measured_.push_back(model_);
}

AnswerMeasures::AnswerMeasures(const Context& context, std::string model, std::string other)
    : context_(context), model_(std::move(model)), other_(std::move(other)), measured_{other_, model_} {}

Status AnswerMeasures::Ask(schedule::WorkItem work) {
  open_.insert(work.item.item_id());
  return context_.Enqueue(std::move(work));
}

Status AnswerMeasures::Begin() {
  for (const std::string& model : measured_) {
    SRLM_RETURN_IF_ERROR(BeginAnswers(model));
    if (OutputOf(model).empty()) SRLM_RETURN_IF_ERROR(BeginHeldOut(model));
  }
  return BeginComparisons();
}

Status AnswerMeasures::BeginAnswers(const std::string& model) {
  const size_t prompts = PromptsFor(context_, model).size();
  total_ += prompts;
  std::vector<Answered>& answered = answered_[model];
  answered.assign(prompts, Answered::kNo);
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.EvaluationAnswers(model));
  for (const ledger::EvaluationAnswerRow& row : rows) {
    failed_ += !row.reason.empty();
    answered.at(static_cast<size_t>(row.prompt)) = row.reason.empty() ? Answered::kYes : Answered::kFailed;
  }
  for (size_t prompt = 0; prompt < prompts; ++prompt)
    if (answered[prompt] == Answered::kNo)
      SRLM_RETURN_IF_ERROR(Ask(EvaluationAnswerStub(context_, model, static_cast<int>(prompt))));
  return OkStatus();
}

Status AnswerMeasures::BeginHeldOut(const std::string& model) {
  const size_t answers = context_.inputs.held_out.size();
  total_ += answers;
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.HeldOut(model));
  std::set<int> there;
  for (const ledger::HeldOutRow& row : rows) {
    failed_ += !row.reason.empty();
    there.insert(row.answer);
  }
  for (int answer = 0; answer < static_cast<int>(answers); ++answer)
    if (!there.contains(answer)) SRLM_RETURN_IF_ERROR(Ask(HeldOutStub(context_, model, answer)));
  return OkStatus();
}

Status AnswerMeasures::BeginComparisons() {
  const int prompts = static_cast<int>(PromptsFor(context_, model_).size());
  total_ += 2 * static_cast<uint64_t>(prompts);
  if (!answered_.contains(other_)) {  // measured with the model before
    SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.EvaluationAnswers(other_));
    std::vector<Answered>& answered = answered_[other_];
    answered.assign(static_cast<size_t>(prompts), Answered::kNo);
    for (const ledger::EvaluationAnswerRow& row : rows)
      answered.at(static_cast<size_t>(row.prompt)) = row.reason.empty() ? Answered::kYes : Answered::kFailed;
  }
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.Comparisons(model_, other_));
  for (const ledger::ComparisonRow& row : rows) {
    const bool first = compared_.emplace(row.prompt, row.backward).second;
    failed_ += first && row.state == "failed";
  }
  for (int prompt = 0; prompt < prompts; ++prompt) unasked_.insert(prompt);
  for (int prompt = 0; prompt < prompts; ++prompt) SRLM_RETURN_IF_ERROR(Compare(prompt));
  return OkStatus();
}

Status AnswerMeasures::Compare(int prompt) {
  const Answered one = answered_[model_].at(static_cast<size_t>(prompt));
  const Answered two = answered_[other_].at(static_cast<size_t>(prompt));
  if (one == Answered::kNo || two == Answered::kNo || unasked_.erase(prompt) == 0) return OkStatus();
  if (one == Answered::kFailed || two == Answered::kFailed) return OkStatus();
  for (const bool backward : {false, true})
    if (!compared_.contains({prompt, backward}))
      SRLM_RETURN_IF_ERROR(Ask(ComparisonStub(context_, model_, other_, prompt, backward)));
  return OkStatus();
}

Result<bool> AnswerMeasures::Store(const schedule::Subject& subject, const Finished& finished) {
  if (open_.erase(ItemId(context_, subject)) == 0) return false;
  if (subject.purpose == v1::PURPOSE_COMPARISON) return StoreComparison(subject, finished);
  if (subject.purpose == v1::PURPOSE_HELD_OUT) {
    const auto& values = finished.result.token_logprobs();
    ledger::HeldOutRow row{.model = subject.model, .answer = subject.index, .model_id = finished.result.model_id()};
    row.tokens = values.size();
    row.logprob = std::accumulate(values.begin(), values.end(), 0.0);
    return context_.ledger.AddHeldOut(row);
  }
  const v1::SampleOutput& sample = finished.result.samples(0);
  ledger::EvaluationAnswerRow row{.model = subject.model, .prompt = subject.index};
  row.prompt_id = PromptsFor(context_, subject.model).at(static_cast<size_t>(subject.index)).prompt_id;
  row.model_id = finished.result.model_id();
  row.cut = sample.finish_reason() == v1::FINISH_REASON_LENGTH;
  row.token_ids.assign(sample.token_ids().begin(), sample.token_ids().end());
  row.token_hash = Sha256Tokens(row.token_ids);
  row.text = finished.texts.at(0);
  SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddEvaluationAnswer(row));
  answered_[subject.model].at(static_cast<size_t>(subject.index)) = Answered::kYes;
  SRLM_RETURN_IF_ERROR(Compare(subject.index));
  return is_new;
}

Result<bool> AnswerMeasures::StoreComparison(const schedule::Subject& subject, const Finished& finished) {
  ledger::ComparisonRow row{.model = subject.model, .other = subject.other, .prompt = subject.index};
  row.backward = subject.backward;
  row.model_id = finished.result.model_id();
  row.subject_hash = finished.result.subject_hash();
  if (subject.expected) {
    const auto& logprobs = finished.result.choice_logprobs();
    const data::OrderVerdict order = data::VerdictOfLogprobs({logprobs.data(), static_cast<size_t>(logprobs.size())});
    row.vote = kExpectedVote;
    row.state = order.verdict ? "parsed" : "absent";
    if (order.verdict) row.verdict = data::PairVerdictName(*order.verdict);
    row.prefers_first = order.prefers_first;
    return context_.ledger.AddComparison(row);
  }
  bool stored = false;
  for (const std::string& text : finished.texts) {
    const auto verdict = data::ParsePairVerdict(text);
    row.text = text;
    row.state = verdict ? "parsed" : "absent";
    row.verdict = verdict ? data::PairVerdictName(*verdict) : "";
    SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddComparison(row));
    stored |= is_new;
    ++row.vote;
  }
  return stored;
}

Status AnswerMeasures::SetAside(const schedule::Subject& subject, const std::string& reason) {
  if (open_.erase(ItemId(context_, subject)) == 0) return OkStatus();
  ++failed_;
  if (subject.purpose == v1::PURPOSE_COMPARISON) {
    ledger::ComparisonRow row{.model = subject.model, .other = subject.other, .prompt = subject.index};
    row.backward = subject.backward;
    row.vote = subject.expected ? kExpectedVote : 0;
    row.state = "failed";
    row.text = reason;
    return context_.ledger.AddComparison(row).status();
  }
  if (subject.purpose == v1::PURPOSE_HELD_OUT)
    return context_.ledger.AddHeldOut({.model = subject.model, .answer = subject.index, .reason = reason}).status();
  ledger::EvaluationAnswerRow row{.model = subject.model, .prompt = subject.index};
  row.prompt_id = PromptsFor(context_, subject.model).at(static_cast<size_t>(subject.index)).prompt_id;
  row.reason = reason;
  SRLM_RETURN_IF_ERROR(context_.ledger.AddEvaluationAnswer(row).status());
  answered_[subject.model].at(static_cast<size_t>(subject.index)) = Answered::kFailed;
  return Compare(subject.index);
}

Result<data::HeadToHead> HeadToHeadOf(const ledger::Ledger& ledger, const std::string& model, const std::string& other,
                                      uint64_t seed) {
  std::map<int, data::ComparedAnswers> compared;  // by prompt
  for (const bool newer : {true, false}) {
    SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.EvaluationAnswers(newer ? model : other));
    for (const ledger::EvaluationAnswerRow& row : rows) {
      compared[row.prompt].prompt_id = row.prompt_id;
      const int64_t characters = data::CountCharacters(row.text);
      (newer ? compared[row.prompt].characters_x : compared[row.prompt].characters_y) = characters;
    }
  }
  SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.Comparisons(model, other));
  std::map<std::pair<int, bool>, std::vector<ledger::ComparisonRow>> orders;
  for (const ledger::ComparisonRow& row : rows) orders[{row.prompt, row.backward}].push_back(row);
  std::vector<data::ComparedAnswers> all;
  for (auto& [prompt, each] : compared) {
    if (!orders.contains({prompt, false}) || !orders.contains({prompt, true})) continue;
    each.forward = OrderOf(orders[{prompt, false}]);
    each.backward = OrderOf(orders[{prompt, true}]);
    all.push_back(each);
  }
  return data::ComputeHeadToHead(all, seed);
}

Result<data::Figure> ComparisonParseRate(const ledger::Ledger& ledger, const std::string& model,
                                         const std::string& other, uint64_t seed) {
  std::map<int, std::string> prompt_ids;
  SRLM_ASSIGN_OR_RETURN(const auto answers, ledger.EvaluationAnswers(model));
  for (const ledger::EvaluationAnswerRow& row : answers) prompt_ids[row.prompt] = row.prompt_id;
  SRLM_ASSIGN_OR_RETURN(const auto rows, ledger.Comparisons(model, other));
  std::vector<data::ClusteredValue> parsed;
  for (const ledger::ComparisonRow& row : rows)
    if (row.state != "failed" && row.vote != kExpectedVote)
      parsed.push_back({prompt_ids[row.prompt], row.state == "parsed" ? 1.0 : 0.0});
  return data::ClusteredRatio(parsed, seed);
}

Result<std::map<std::string, nlohmann::json>> AnswerMeasures::Figures() const {
  std::map<std::string, nlohmann::json> figures;
  for (const std::string& model : measured_) {
    if (!context_.inputs.held_out.empty()) {
      SRLM_ASSIGN_OR_RETURN(figures[model]["held_out"], HeldOutFigures(context_, model));
    }
    if (context_.inputs.evaluation_prompts.empty()) continue;
    SRLM_ASSIGN_OR_RETURN(figures[model]["answers_given"], AnswerFigures(context_, model));
    if (model != model_) continue;
    const uint64_t seed = context_.config.seed;
    SRLM_ASSIGN_OR_RETURN(const data::HeadToHead head_to_head, HeadToHeadOf(context_.ledger, model_, other_, seed));
    SRLM_ASSIGN_OR_RETURN(const data::Figure parse_rate, ComparisonParseRate(context_.ledger, model_, other_, seed));
    figures[model]["against"] = other_;
    figures[model]["head_to_head"] = data::ToJson(head_to_head);
    figures[model]["comparison_parse_rate"] = data::ToJson(parse_rate);
  }
  return figures;
}

}  // namespace srlm::rounds
