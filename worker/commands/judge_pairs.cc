#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/data/pairwise_template.h"
#include "common/data/pairwise_verdict.h"
#include "common/data/records.h"
#include "common/text/choices.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"

namespace srlm::worker {
namespace {

using nlohmann::ordered_json;

enum Order { kForward, kBackward, kOrders };

/// What turns an item into the engine's two requests.
struct Asker {
  const FileSession& session;
  const JudgeOptions& options;
  data::PairwiseTemplate judge_template;
  text::Choices letters;  // of an expected verdict

  static Result<Asker> Make(const FileSession& session, const JudgeOptions& options) {
    SRLM_ASSIGN_OR_RETURN(auto judge_template, data::PairwiseTemplate::Load(options.judge_template));
    Asker asker{session, options, std::move(judge_template), {}};
    if (!asker.Expected()) return asker;
    SRLM_ASSIGN_OR_RETURN(asker.letters,
                          text::FindChoices(session.chat().tokenizer(), data::kVerdictPrefix, data::PairLetters()));
    return asker;
  }

  bool Expected() const { return options.verdict == JudgeVerdict::kExpected; }

  Result<Request> Ask(const data::PairItem& item, Order order, uint64_t id) const {
    Request request;
    request.id = id;
    const bool forward = order == kForward;
    const Message question{
        "user", judge_template.Fill(data::PlainText(item.prompt), forward ? item.response_a : item.response_b,
                                    forward ? item.response_b : item.response_a)};
    SRLM_ASSIGN_OR_RETURN(request.prompt_token_ids, session.chat().PromptTokens({&question, 1}));
    if (Expected()) {
      request.prompt_token_ids.insert(request.prompt_token_ids.end(), letters.opening_ids.begin(),
                                      letters.opening_ids.end());
      request.work = ChooseWork{letters.choice_ids};
      return request;
    }
    SampleWork work;
    const RandomStream stream(options.sampling.seed, {StreamId(item.id), static_cast<uint64_t>(order)});
    for (int vote = 0; vote < options.votes; ++vote) work.streams.push_back(stream.Child(static_cast<uint64_t>(vote)));
    work.temperature = options.sampling.temperature;
    work.top_p = options.sampling.top_p;
    work.max_new_tokens = options.sampling.max_new_tokens;
    work.stop_token_ids = session.chat().end_of_turn_ids();
    request.work = std::move(work);
    return request;
  }
};

struct Counts {
  int64_t votes = 0;
  int64_t parsed = 0;
};

ordered_json NameOrNull(const std::optional<data::PairVerdict>& verdict) {
  return verdict ? ordered_json(data::PairVerdictName(*verdict)) : ordered_json();
}

ordered_json NumberOrNull(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json();
}

/// What one order said, and its row: {"verdict", "prefers_first", "votes"}; its `a` is the answer that stood first.
Result<data::OrderVerdict> ReadOrder(const FileSession& session, const Response& response, bool expected,
                                     Counts& counts, ordered_json& row) {
  data::OrderVerdict order;
  ordered_json votes = ordered_json::array();
  if (response.status.ok() && expected) {
    order = data::VerdictOfLogprobs(response.choice_logprobs);
  } else if (response.status.ok()) {
    std::vector<std::optional<data::PairVerdict>> verdicts;
    for (const Sample& sample : response.samples) {
      SRLM_ASSIGN_OR_RETURN(std::string text, session.chat().tokenizer().Decode(sample.token_ids, true));
      verdicts.push_back(data::ParsePairVerdict(text));
      counts.parsed += verdicts.back() ? 1 : 0;
      votes.push_back({{"text", std::move(text)}, {"verdict", NameOrNull(verdicts.back())}});
    }
    counts.votes += static_cast<int64_t>(verdicts.size());
    order = data::VerdictOfVotes(verdicts);
  }
  row = {{"verdict", NameOrNull(order.verdict)}, {"prefers_first", NumberOrNull(order.prefers_first)}};
  row["votes"] = std::move(votes);
  return order;
}

Result<ordered_json> Row(const FileSession& session, const data::PairItem& item,
                         const std::array<const Response*, kOrders>& responses, bool expected, Counts& counts) {
  std::array<data::OrderVerdict, kOrders> orders;
  std::array<ordered_json, kOrders> rows;
  ordered_json row = {{"id", item.id}};
  for (const Order order : {kForward, kBackward}) {
    SRLM_ASSIGN_OR_RETURN(orders[order], ReadOrder(session, *responses[order], expected, counts, rows[order]));
    if (!responses[order]->status.ok()) row["error"] = responses[order]->status.message();
  }
  const data::Comparison comparison = data::CompareOrders(orders[kForward], orders[kBackward]);
  row["verdict"] = NameOrNull(comparison.verdict);
  row["prefers_a"] = NumberOrNull(comparison.prefers_x);
  row["forward"] = std::move(rows[kForward]);
  row["backward"] = std::move(rows[kBackward]);
  return row;
}

}  // namespace

Status JudgePairs(const JudgeOptions& options, const ComputeOptions& compute, GroupLeader* group) {
  SRLM_ASSIGN_OR_RETURN(const auto items, data::LoadPairItems(options.files.in));
  SRLM_ASSIGN_OR_RETURN(const auto session, FileSession::Open(options.files, compute, group));
  SRLM_ASSIGN_OR_RETURN(const Asker asker, Asker::Make(*session, options));
  std::vector<Request> requests;
  for (const data::PairItem& item : items) {
    for (const Order order : {kForward, kBackward}) {
      auto request = asker.Ask(item, order, requests.size());
      if (!request.ok()) return request.status().WithContext(fmt::format("item '{}'", item.id));
      requests.push_back(std::move(request).value());
    }
  }
  SRLM_ASSIGN_OR_RETURN(const auto responses, session->Run(std::move(requests)));
  std::vector<ordered_json> rows;
  Counts counts;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::array<const Response*, kOrders> both = {&responses[kOrders * i], &responses[kOrders * i + 1]};
    SRLM_ASSIGN_OR_RETURN(ordered_json row, Row(*session, items[i], both, asker.Expected(), counts));
    rows.push_back(std::move(row));
  }
  ordered_json more = {{"items", items.size()}, {"votes", counts.votes}, {"parsed_votes", counts.parsed}};
  if (counts.votes > 0) more["parse_rate"] = static_cast<double>(counts.parsed) / static_cast<double>(counts.votes);
  return session->Finish(rows, more);
}

}  // namespace srlm::worker
