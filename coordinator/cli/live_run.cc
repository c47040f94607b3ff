#include "coordinator/cli/live_run.h"

#include "common/rpc/address.h"
#include "common/rpc/channel.h"

namespace srlm::cli {

Result<std::unique_ptr<LiveRun>> LiveRun::Connect(const std::string& address, const std::string& secrets) {
  SRLM_ASSIGN_OR_RETURN(const rpc::Address parsed, rpc::ParseAddress(address));
  const std::string text = parsed.Text();
  std::optional<rpc::ClientKeys> keys;
  if (!secrets.empty()) {
    SRLM_ASSIGN_OR_RETURN(keys, rpc::ReadKeys(secrets));
  }
  const auto channel = rpc::MakeChannel(text, keys);
  constexpr double kConnectSeconds = 5;  // the rest is for the answer
  const auto connected = rpc::WaitConnected(*channel, text, Deadline::AfterSeconds(kConnectSeconds));
  if (!connected.ok()) {
    return Unavailable("no coordinator: " + connected.message() +
                       (secrets.empty() ? "; `srlm status RUN` finds a run's address and its keys, --secrets "
                                          "names a folder of keys"
                                        : "; `srlm status RUN` finds a run's address by its folder"));
  }
  return std::unique_ptr<LiveRun>(new LiveRun(text, v1::RunService::NewStub(channel)));
}

Result<v1::RunStatus> LiveRun::Status() {
  return rpc::Call<v1::RunService::Stub, v1::GetStatusRequest, v1::RunStatus>(*stub_, &v1::RunService::Stub::GetStatus,
                                                                              {}, 4, "GetStatus at " + address_);
}

Result<RowPage> LiveRun::List(const std::string& table, int round, int limit, const std::string& page_token) {
  v1::ListRequest request;
  request.set_table(table);
  request.set_round(static_cast<uint32_t>(round));
  request.set_limit(static_cast<uint32_t>(limit));
  request.set_page_token(page_token);
  const auto answer = rpc::Call<v1::RunService::Stub, v1::ListRequest, v1::ListResponse>(
      *stub_, &v1::RunService::Stub::List, request, kAnswerSeconds, "List at " + address_);
  if (!answer.ok()) return answer.status();
  RowPage page{.rows = {}, .next_page_token = answer->next_page_token()};
  for (const std::string& row : answer->rows_json()) {
    page.rows.push_back(nlohmann::ordered_json::parse(row, nullptr, false));
    if (!page.rows.back().is_object()) return InternalError("List at " + address_ + ": a row is not a JSON object");
  }
  return page;
}

Result<v1::ControlResponse> LiveRun::Steer(const std::string& what, const std::string& who, const std::string& reason) {
  using Stub = v1::RunService::Stub;
  v1::ControlRequest request;
  request.set_who(who);
  request.set_reason(reason);
  const auto method = what == "pause" ? &Stub::Pause : what == "resume" ? &Stub::Resume : &Stub::Cancel;
  return rpc::Call<Stub, v1::ControlRequest, v1::ControlResponse>(*stub_, method, request, kAnswerSeconds,
                                                                  what + " at " + address_);
}

srlm::Status LiveRun::Watch(int interval_ms, std::optional<Deadline> deadline,
                            const std::function<bool(const v1::RunStatus&)>& show) {
  grpc::ClientContext context;
  if (deadline) rpc::SetDeadline(context, std::chrono::duration<double>(deadline->Left()).count());
  v1::WatchStatusRequest request;
  request.set_interval_ms(static_cast<uint32_t>(interval_ms));
  const auto reader = stub_->WatchStatus(&context, request);
  v1::RunStatus status;
  while (reader->Read(&status)) {
    if (show(status)) continue;
    context.TryCancel();
    (void)reader->Finish();
    return OkStatus();
  }
  const grpc::Status end = reader->Finish();
  // A coordinator that ends cancels its streams, or closes the connection: for who watches, that is the end.
  if (end.ok() || end.error_code() == grpc::StatusCode::CANCELLED) return OkStatus();
  if (end.error_code() == grpc::StatusCode::UNAVAILABLE) return OkStatus();
  if (deadline && end.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return OkStatus();
  return rpc::FromGrpc(end, "WatchStatus at " + address_);
}

}  // namespace srlm::cli
