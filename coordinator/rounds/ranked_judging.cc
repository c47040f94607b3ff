#include "coordinator/rounds/ranked_judging.h"

#include <nlohmann/json.hpp>

#include "common/data/judge_metrics.h"
#include "common/data/pairs.h"
#include "common/data/verdict.h"
#include "coordinator/rounds/items.h"

namespace srlm::rounds {
namespace {

std::string ItemId(const Context& context, const schedule::Subject& subject) {
  return EvaluationStub(context, subject.model, subject.index, subject.expected).item.item_id();
}

}  // namespace

Status RankedJudging::Begin() {
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.EvaluationVotes(model_));
  std::set<std::pair<int, bool>> there;  // answer, expected
  for (const ledger::EvaluationVoteRow& row : rows) {
    there.emplace(row.answer, row.vote == kExpectedVote);
    failed_ += row.state == "failed";
  }
  const config::EvaluationConfig& config = context_.config.evaluation;
  for (const bool expected : {true, false}) {
    if (expected ? config.verdict != config::VerdictKind::kExpected : config.sampled_votes == 0) continue;
    for (int answer = 0; answer < static_cast<int>(context_.inputs.ranked.size()); ++answer) {
      ++total_;
      if (there.contains({answer, expected})) continue;
      schedule::WorkItem work = EvaluationStub(context_, model_, answer, expected);
      open_.insert(work.item.item_id());
      SRLM_RETURN_IF_ERROR(context_.Enqueue(std::move(work)));
    }
  }
  return OkStatus();
}

Result<bool> RankedJudging::Store(const schedule::Subject& subject, const Finished& finished) {
  if (subject.model != model_ || open_.erase(ItemId(context_, subject)) == 0) return false;
  ledger::EvaluationVoteRow row{.model = model_, .answer = subject.index, .vote = kExpectedVote};
  row.model_id = finished.result.model_id();
  if (subject.expected) {
    row.state = data::VerdictStateName(data::VerdictState::kParsed);
    row.score = ExpectedScore(finished.result);
    return context_.ledger.AddEvaluationVote(row);
  }
  bool stored = false;
  for (const std::string& text : finished.texts) {
    ++row.vote;
    row.text = text;
    const data::Verdict verdict = data::ParseVerdict(row.text);
    row.state = data::VerdictStateName(verdict.state);
    row.score = verdict.score;
    SRLM_ASSIGN_OR_RETURN(const bool is_new, context_.ledger.AddEvaluationVote(row));
    stored |= is_new;
  }
  return stored;
}

Status RankedJudging::SetAside(const schedule::Subject& subject, const std::string& reason) {
  if (subject.model != model_ || open_.erase(ItemId(context_, subject)) == 0) return OkStatus();
  ++failed_;
  ledger::EvaluationVoteRow row{.model = model_, .answer = subject.index, .vote = subject.expected ? kExpectedVote : 0};
  row.state = "failed";
  row.text = reason;
  return context_.ledger.AddEvaluationVote(row).status();
}

Result<nlohmann::json> RankedJudging::Figures() const {
  const std::vector<data::RankedAnswer>& ranked = context_.inputs.ranked;
  std::vector<std::vector<std::optional<double>>> votes(ranked.size());
  std::vector<data::JudgedAnswer> answers, sampled;  // sampled: one entry a vote, for the parse rate
  for (const data::RankedAnswer& answer : ranked)
    answers.push_back({answer.prompt_id, answer.quality, std::nullopt, data::CountCharacters(answer.response)});
  SRLM_ASSIGN_OR_RETURN(const auto rows, context_.ledger.EvaluationVotes(model_));
  for (const ledger::EvaluationVoteRow& row : rows) {
    if (row.state == "failed") continue;
    const auto answer = static_cast<size_t>(row.answer);
    if (row.vote == kExpectedVote) {
      answers.at(answer).predicted = row.score;
    } else {
      votes.at(answer).push_back(row.score);
      sampled.push_back({ranked.at(answer).prompt_id, ranked.at(answer).quality, row.score, 0});
    }
  }
  if (context_.config.evaluation.verdict == config::VerdictKind::kSampled)
    for (size_t i = 0; i < answers.size(); ++i) answers[i].predicted = data::MeanScore(votes[i]);
  nlohmann::json metrics = data::ToJson(data::ComputeJudgeMetrics(answers, context_.config.seed));
  metrics["sampled_parse_rate"] = data::ToJson(data::ComputeJudgeMetrics(sampled, context_.config.seed))["parse_rate"];
  return metrics;
}

}  // namespace srlm::rounds
