#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "common/data/digit_vote.h"
#include "common/data/expected_score.h"
#include "common/data/pairs.h"
#include "common/data/records.h"
#include "common/data/verdict.h"
#include "common/text/choices.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"

namespace srlm::worker {
namespace {

using nlohmann::ordered_json;

RandomStream VoteStream(const JudgeOptions& options, const data::JudgeItem& item, int vote) {
  return RandomStream(options.sampling.seed, {StreamId(item.id)}).Child(static_cast<uint64_t>(vote));
}

/// Turns items into the engine's requests, by sampled votes or for the digits' probabilities.
class JudgeRequests {
 public:
  static Result<JudgeRequests> Make(const FileSession& session, const JudgeOptions& options) {
    JudgeRequests requests(session, options);
    SRLM_ASSIGN_OR_RETURN(requests.template_, data::JudgeTemplate::Load(options.judge_template));
    if (options.verdict == JudgeVerdict::kSampled) return requests;
    SRLM_ASSIGN_OR_RETURN(requests.choices_,
                          text::FindChoices(session.chat().tokenizer(), data::kScorePrefix, data::ScoreDigits()));
    return requests;
  }

  Result<Request> operator()(const data::JudgeItem& item, uint64_t id) const {
    Request request;
    request.id = id;
    const Message question{"user", template_.Fill(data::PlainText(item.prompt), item.response)};
    SRLM_ASSIGN_OR_RETURN(request.prompt_token_ids, session_.chat().PromptTokens({&question, 1}));
    if (options_.verdict != JudgeVerdict::kSampled) {
      request.prompt_token_ids.insert(request.prompt_token_ids.end(), choices_.opening_ids.begin(),
                                      choices_.opening_ids.end());
      request.work = ChooseWork{choices_.choice_ids};
      return request;
    }
    SampleWork work;
    for (int vote = 0; vote < options_.votes; ++vote) work.streams.push_back(VoteStream(options_, item, vote));
    work.temperature = options_.sampling.temperature;
    work.top_p = options_.sampling.top_p;
    work.max_new_tokens = options_.sampling.max_new_tokens;
    work.stop_token_ids = session_.chat().end_of_turn_ids();
    request.work = std::move(work);
    return request;
  }

 private:
  JudgeRequests(const FileSession& session, const JudgeOptions& options) : session_(session), options_(options) {}
  const FileSession& session_;
  const JudgeOptions& options_;
  data::JudgeTemplate template_ = data::JudgeTemplate::BuiltIn();
  text::Choices choices_;
};

struct Counts {
  int64_t votes = 0;
  int64_t parsed = 0;
};

ordered_json VoteJson(const std::string& text, const std::optional<int>& score, data::VerdictState state) {
  return {{"text", text},
          {"score", score ? ordered_json(*score) : ordered_json()},
          {"state", data::VerdictStateName(state)}};
}

/// Votes that are drawn from the digits' probabilities.
ordered_json DigitsRow(const JudgeOptions& options, const data::JudgeItem& item, const Response& response,
                       Counts& counts) {
  ordered_json votes = ordered_json::array();
  std::vector<std::optional<double>> scores;
  for (int vote = 0; vote < options.votes; ++vote) {
    const int score = data::DrawDigit(response.choice_logprobs, options.sampling.temperature,
                                      VoteStream(options, item, vote).Uniform(0));
    scores.emplace_back(score);
    votes.push_back(VoteJson(fmt::format("{}{}", data::kScorePrefix, score), score, data::VerdictState::kParsed));
  }
  counts.votes += options.votes;
  counts.parsed += options.votes;
  return {{"score", *data::MeanScore(scores)}, {"votes", votes}, {"expected", nullptr}};
}

Result<ordered_json> VotesRow(const FileSession& session, const Response& response, Counts& counts) {
  ordered_json votes = ordered_json::array();
  std::vector<std::optional<double>> scores;
  for (const Sample& sample : response.samples) {
    SRLM_ASSIGN_OR_RETURN(const std::string text, session.chat().tokenizer().Decode(sample.token_ids, true));
    const data::Verdict verdict = data::ParseVerdict(text);
    scores.push_back(verdict.score);
    counts.parsed += verdict.score ? 1 : 0;
    votes.push_back(VoteJson(text, verdict.score, verdict.state));
  }
  counts.votes += static_cast<int64_t>(response.samples.size());
  const std::optional<double> score = data::MeanScore(scores);
  return ordered_json{
      {"score", score ? ordered_json(*score) : ordered_json()}, {"votes", votes}, {"expected", nullptr}};
}

Result<ordered_json> Row(const FileSession& session, const data::JudgeItem& item, const Response& response,
                         const JudgeOptions& options, Counts& counts) {
  ordered_json row = {{"id", item.id}};
  if (!response.status.ok()) {
    row.update({{"score", nullptr}, {"votes", ordered_json::array()}, {"expected", nullptr}});
    row["error"] = response.status.message();
    return row;
  }
  if (options.verdict == JudgeVerdict::kSampled) {
    SRLM_ASSIGN_OR_RETURN(const ordered_json votes, VotesRow(session, response, counts));
    row.update(votes);
    return row;
  }
  const data::ExpectedScore expected = data::ScoreFromLogprobs(response.choice_logprobs);
  if (options.verdict == JudgeVerdict::kDigit)
    row.update(DigitsRow(options, item, response, counts));
  else
    row.update({{"score", expected.score}, {"votes", ordered_json::array()}, {"expected", expected.score}});
  row["probabilities"] = expected.probabilities;
  return row;
}

}  // namespace

Status Judge(const JudgeOptions& options, const ComputeOptions& compute, GroupLeader* group) {
  SRLM_ASSIGN_OR_RETURN(const auto items, data::LoadJudgeItems(options.files.in));
  SRLM_ASSIGN_OR_RETURN(const auto session, FileSession::Open(options.files, compute, group));
  SRLM_ASSIGN_OR_RETURN(const JudgeRequests to_request, JudgeRequests::Make(*session, options));
  std::vector<Request> requests;
  for (size_t i = 0; i < items.size(); ++i) {
    auto request = to_request(items[i], i);
    if (!request.ok()) return request.status().WithContext(fmt::format("item '{}'", items[i].id));
    requests.push_back(std::move(request).value());
  }
  SRLM_ASSIGN_OR_RETURN(const auto responses, session->Run(std::move(requests)));
  std::vector<ordered_json> rows;
  Counts counts;
  for (size_t i = 0; i < items.size(); ++i) {
    SRLM_ASSIGN_OR_RETURN(ordered_json row, Row(*session, items[i], responses[i], options, counts));
    rows.push_back(std::move(row));
  }
  ordered_json more = {{"items", items.size()}, {"votes", counts.votes}, {"parsed_votes", counts.parsed}};
  if (counts.votes > 0) {
    more["parse_rate"] = static_cast<double>(counts.parsed) / static_cast<double>(counts.votes);
    more["votes_per_second"] = static_cast<double>(counts.votes) / session->seconds();
  }
  return session->Finish(rows, more);
}

}  // namespace srlm::worker
