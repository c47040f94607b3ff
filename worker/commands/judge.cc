#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/data/records.h"
#include "common/data/verdict.h"
#include "common/text/choices.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"

namespace srlm::worker {
namespace {

using nlohmann::ordered_json;

/// Turns items into the engine's requests, by sampled votes or by the digits' probabilities.
class JudgeRequests {
 public:
  static Result<JudgeRequests> Make(const FileSession& session, const JudgeOptions& options) {
    JudgeRequests requests(session, options);
    SRLM_ASSIGN_OR_RETURN(requests.template_, data::JudgeTemplate::Load(options.judge_template));
    if (!options.expected) return requests;
    std::vector<std::string> digits;
    for (int score = data::kMinScore; score <= data::kMaxScore; ++score) digits.push_back(std::to_string(score));
    SRLM_ASSIGN_OR_RETURN(requests.choices_, text::FindChoices(session.chat().tokenizer(), data::kScorePrefix, digits));
    return requests;
  }

  Result<Request> operator()(const data::JudgeItem& item, uint64_t id) const {
    Request request;
    request.id = id;
    const Message question{"user", template_.Fill(data::PlainText(item.prompt), item.response)};
    SRLM_ASSIGN_OR_RETURN(request.prompt_token_ids, session_.chat().PromptTokens({&question, 1}));
    if (options_.expected) {
      request.prompt_token_ids.insert(request.prompt_token_ids.end(), choices_.opening_ids.begin(),
                                      choices_.opening_ids.end());
      request.work = ChooseWork{choices_.choice_ids};
      return request;
    }
    SampleWork work;
    const RandomStream stream(options_.sampling.seed, {StreamId(item.id)});
    for (int vote = 0; vote < options_.votes; ++vote) work.streams.push_back(stream.Child(static_cast<uint64_t>(vote)));
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

/// Expected score over the digits, their probabilities normalised to 1.
double ExpectedScore(const std::vector<double>& logprobs, std::vector<double>& probabilities) {
  double total = 0, expected = 0;
  for (const double logprob : logprobs) probabilities.push_back(std::exp(logprob - logprobs.front()));
  for (const double p : probabilities) total += p;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    probabilities[i] /= total;
    expected += probabilities[i] * static_cast<double>(data::kMinScore + static_cast<int>(i));
  }
  return expected;
}

struct Counts {
  int64_t votes = 0;
  int64_t parsed = 0;
};

Result<ordered_json> VotesRow(const FileSession& session, const Response& response, Counts& counts) {
  ordered_json votes = ordered_json::array();
  double sum = 0;
  int parsed = 0;
  for (const Sample& sample : response.samples) {
    SRLM_ASSIGN_OR_RETURN(const std::string text, session.chat().tokenizer().Decode(sample.token_ids, true));
    const data::Verdict verdict = data::ParseVerdict(text);
    if (verdict.score) {
      sum += *verdict.score;
      ++parsed;
    }
    votes.push_back({{"text", text},
                     {"score", verdict.score ? ordered_json(*verdict.score) : ordered_json()},
                     {"state", data::VerdictStateName(verdict.state)}});
  }
  counts.votes += static_cast<int64_t>(response.samples.size());
  counts.parsed += parsed;
  return ordered_json{
      {"score", parsed > 0 ? ordered_json(sum / parsed) : ordered_json()}, {"votes", votes}, {"expected", nullptr}};
}

Result<ordered_json> Row(const FileSession& session, const data::JudgeItem& item, const Response& response,
                         bool expected, Counts& counts) {
  ordered_json row = {{"id", item.id}};
  if (!response.status.ok()) {
    row.update({{"score", nullptr}, {"votes", ordered_json::array()}, {"expected", nullptr}});
    row["error"] = response.status.message();
    return row;
  }
  if (!expected) {
    SRLM_ASSIGN_OR_RETURN(const ordered_json votes, VotesRow(session, response, counts));
    row.update(votes);
    return row;
  }
  std::vector<double> probabilities;
  const double score = ExpectedScore(response.choice_logprobs, probabilities);
  row.update({{"score", score}, {"votes", ordered_json::array()}, {"expected", score}});
  row["probabilities"] = probabilities;
  return row;
}

}  // namespace

Status Judge(const JudgeOptions& options) {
  SRLM_ASSIGN_OR_RETURN(const auto items, data::LoadJudgeItems(options.files.in));
  SRLM_ASSIGN_OR_RETURN(const auto session, FileSession::Open(options.files));
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
    SRLM_ASSIGN_OR_RETURN(ordered_json row, Row(*session, items[i], responses[i], options.expected, counts));
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
