// Any bytes as a file of rows of each kind. What a loader takes must survive being written and read again.
#include <nlohmann/json.hpp>

#include "common/base/check.h"
#include "common/data/jsonl.h"
#include "common/data/records.h"
#include "tests/fuzz/harness.h"

namespace srlm {
namespace {

using nlohmann::json;

template <class T>
std::vector<json> Written(const std::vector<T>& rows) {
  std::vector<json> written;
  for (const T& row : rows) written.push_back(data::ToJson(row));
  return written;
}

template <class T, class Load>
void CheckRows(const std::string& path, Load load) {
  const Result<std::vector<T>> rows = load(path);
  if (!rows.ok()) {
    SRLM_CHECK(!rows.status().message().empty(), "a failure without a message");
    return;
  }
  SRLM_CHECK(!rows->empty(), "rows without a row");
  std::string text;
  for (const json& row : Written(*rows)) text += row.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  static fuzz::MemoryFile file;
  const Result<std::vector<T>> again = load(file.Write(text));
  SRLM_CHECK(again.ok(), again.status().message() + "\n" + text);
  SRLM_CHECK(Written(*again) == Written(*rows), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static fuzz::MemoryFile file;
  const std::string path = file.Write(fuzz::Text(data, size));
  const data::JudgeTemplate judge_template = data::JudgeTemplate::BuiltIn();
  CheckRows<data::Prompt>(path, data::LoadPrompts);
  CheckRows<data::SftRow>(path, [&](const std::string& from) { return data::LoadSft(from, judge_template); });
  CheckRows<data::PreferenceRow>(path, data::LoadPreferences);
  for (const Status& status :
       {data::LoadEft(path).status(), data::LoadJudgeItems(path).status(), data::LoadRankedAnswers(path).status()})
    SRLM_CHECK(status.ok() || status.message().starts_with(path), status.message());
  return 0;
}

}  // namespace srlm
