#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "common/data/records.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"

namespace srlm::worker {
namespace {

using nlohmann::ordered_json;

/// Token ids that the row brings go before its texts.
Result<Request> ToRequest(const FileSession& session, const data::JudgeItem& item, uint64_t id) {
  Request request;
  request.id = id;
  request.prompt_token_ids = item.prompt_token_ids;
  if (request.prompt_token_ids.empty()) {
    SRLM_ASSIGN_OR_RETURN(request.prompt_token_ids, session.PromptTokens(item.prompt));
  }
  std::vector<int> response = item.response_token_ids;
  if (response.empty()) {
    SRLM_ASSIGN_OR_RETURN(response, session.chat().ResponseTokens(item.response));
  }
  request.work = ScoreWork{std::move(response)};
  return request;
}

}  // namespace

Status Logprobs(const LogprobsOptions& options, const ComputeOptions& compute, GroupLeader* group) {
  SRLM_ASSIGN_OR_RETURN(const auto items, data::LoadJudgeItems(options.files.in));
  SRLM_ASSIGN_OR_RETURN(const auto session, FileSession::Open(options.files, compute, group));
  std::vector<Request> requests;
  std::vector<std::vector<int>> token_ids;
  for (size_t i = 0; i < items.size(); ++i) {
    auto request = ToRequest(*session, items[i], i);
    if (!request.ok()) return request.status().WithContext(fmt::format("item '{}'", items[i].id));
    token_ids.push_back(std::get<ScoreWork>(request->work).response_token_ids);
    requests.push_back(std::move(request).value());
  }
  SRLM_ASSIGN_OR_RETURN(const auto responses, session->Run(std::move(requests)));
  std::vector<ordered_json> rows;
  for (size_t i = 0; i < items.size(); ++i) {
    const Response& response = responses[i];
    ordered_json row = {{"id", items[i].id}};
    if (response.status.ok()) {
      const auto& values = response.token_logprobs;
      row["logprob"] = std::accumulate(values.begin(), values.end(), 0.0);
      row["token_ids"] = token_ids[i];
      row["token_logprobs"] = values;
    } else {
      row["logprob"] = nullptr;
      row["error"] = response.status.message();
    }
    rows.push_back(std::move(row));
  }
  return session->Finish(rows, {{"items", items.size()}});
}

}  // namespace srlm::worker
