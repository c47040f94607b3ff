#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/data/records.h"
#include "worker/commands/commands.h"
#include "worker/commands/file_session.h"

namespace srlm::worker {
namespace {

using nlohmann::ordered_json;

Result<Request> ToRequest(const FileSession& session, const GenerateOptions& options, const data::Prompt& prompt,
                          uint64_t id) {
  Request request;
  request.id = id;
  SRLM_ASSIGN_OR_RETURN(request.prompt_token_ids, session.PromptTokens(prompt.input));
  SampleWork work;
  const RandomStream stream(options.sampling.seed, {StreamId(prompt.prompt_id)});
  for (int sample = 0; sample < options.samples; ++sample) {
    work.streams.push_back(stream.Child(static_cast<uint64_t>(sample)));
  }
  work.temperature = options.greedy ? 0 : options.sampling.temperature;
  work.top_p = options.sampling.top_p;
  work.max_new_tokens = options.sampling.max_new_tokens;
  if (!options.ignore_eos) work.stop_token_ids = session.chat().end_of_turn_ids();
  request.work = std::move(work);
  return request;
}

Status AppendRows(const FileSession& session, const data::Prompt& prompt, const Response& response,
                  std::vector<ordered_json>& rows) {
  if (!response.status.ok()) {
    rows.push_back({{"prompt_id", prompt.prompt_id}, {"error", response.status.message()}});
    return OkStatus();
  }
  for (size_t i = 0; i < response.samples.size(); ++i) {
    const Sample& sample = response.samples[i];
    SRLM_ASSIGN_OR_RETURN(std::string text, session.chat().tokenizer().Decode(sample.token_ids, true));
    rows.push_back({{"prompt_id", prompt.prompt_id},
                    {"sample", i},
                    {"text", std::move(text)},
                    {"token_ids", sample.token_ids},
                    {"finish_reason", sample.finish_reason == FinishReason::kStop ? "stop" : "length"},
                    {"logprob", sample.logprob}});
  }
  return OkStatus();
}

}  // namespace

Status Generate(const GenerateOptions& options, const ComputeOptions& compute, GroupLeader* group) {
  SRLM_ASSIGN_OR_RETURN(const auto prompts, data::LoadPrompts(options.files.in));
  SRLM_ASSIGN_OR_RETURN(const auto session, FileSession::Open(options.files, compute, group));
  std::vector<Request> requests;
  for (size_t i = 0; i < prompts.size(); ++i) {
    auto request = ToRequest(*session, options, prompts[i], i);
    if (!request.ok()) return request.status().WithContext(fmt::format("prompt '{}'", prompts[i].prompt_id));
    requests.push_back(std::move(request).value());
  }
  SRLM_ASSIGN_OR_RETURN(const auto responses, session->Run(std::move(requests)));
  std::vector<ordered_json> rows;
  for (size_t i = 0; i < prompts.size(); ++i) {
    SRLM_RETURN_IF_ERROR(AppendRows(*session, prompts[i], responses[i], rows));
  }
  return session->Finish(rows, {{"prompts", prompts.size()}, {"samples", options.samples}});
}

}  // namespace srlm::worker
