#include "coordinator/cli/export_rows.h"

#include <gtest/gtest.h>

#include <map>

namespace srlm::cli {
namespace {

using Json = nlohmann::ordered_json;

/// A run of fixed rows, given one a page.
class FixedRun : public RunReader {
 public:
  std::map<std::string, std::vector<Json>> tables;

  Result<v1::RunStatus> Status() override { return v1::RunStatus(); }
  Result<RowPage> List(const std::string& table, int, int, const std::string& page_token) override {
    const size_t at = page_token.empty() ? 0 : std::stoul(page_token);
    const auto& rows = tables[table];
    RowPage page;
    if (at < rows.size()) page.rows.push_back(rows[at]);
    if (at + 1 < rows.size()) page.next_page_token = std::to_string(at + 1);
    return page;
  }
};

FixedRun OnePair(const char* prompt) {
  FixedRun run;
  run.tables["prompts"] = {Json::parse(prompt), Json::parse(R"({"round":1,"attempt":0,"state":"rejected"})")};
  run.tables["candidates"] = {
      Json::parse(R"({"round":1,"prompt_id":"p","sample":0,"text":"bad","token_ids":[5],"score":1.0})"),
      Json::parse(R"({"round":1,"prompt_id":"p","sample":1,"text":"good","token_ids":[6,7],"score":4.0})")};
  run.tables["pairs"] = {
      Json::parse(R"({"round":1,"prompt_id":"q","outcome":"tie"})"),
      Json::parse(R"({"round":1,"prompt_id":"p","outcome":"paired","chosen":"good","rejected":"bad",)"
                  R"("chosen_sample":1,"rejected_sample":0,"chosen_score":4.0,"rejected_score":1.0,)"
                  R"("rule":"extremes","reason":"sample 1 scored 4"})")};
  return run;
}

constexpr char kChat[] =
    R"({"round":1,"prompt_id":"p","prompt":"Q","messages":[{"role":"user","content":"Q"}],"prompt_token_ids":[1,2]})";
constexpr char kRaw[] = R"({"round":1,"prompt_id":"p","prompt":"Q","messages":null,"prompt_token_ids":[1,2]})";

std::vector<Json> Exported(FixedRun run, const std::string& kind) {
  std::vector<Json> rows;
  const Status status = ExportRows(run, kind, 0, [&](const Json& row) {
    rows.push_back(row);
    return OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status.message();
  return rows;
}

TEST(ExportRows, PairsAreConversationsWithTheirTokens) {
  const auto rows = Exported(OnePair(kChat), "pairs");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(
      rows[0].dump(),
      R"({"prompt":[{"role":"user","content":"Q"}],"chosen":[{"role":"assistant","content":"good"}],)"
      R"("rejected":[{"role":"assistant","content":"bad"}],"prompt_token_ids":[1,2],"chosen_token_ids":[6,7],)"
      R"("rejected_token_ids":[5],"chosen_score":4.0,"rejected_score":1.0,"rule":"extremes","reason":"sample 1 scored 4",)"
      R"("round":1,"prompt_id":"p"})");
}

TEST(ExportRows, SoftLabelsAreTheMeanConsistencyOfTheRoundsPrompts) {
  FixedRun run = OnePair(kChat);
  run.tables["pairs"][0]["consistency"] = 0.5;  // of a prompt without a pair
  run.tables["pairs"][1]["consistency"] = 1.0;
  run.tables["pairs"].push_back(run.tables["pairs"][1]);
  run.tables["pairs"][2]["pair"] = 1;  // the prompt's second one
  const auto rows = Exported(run, "pairs");
  ASSERT_EQ(rows.size(), 2U);
  for (const Json& row : rows) EXPECT_EQ(row["chosen_probability"], 0.75);
  for (const Json& row : Exported(run, "sft")) EXPECT_FALSE(row.contains("chosen_probability"));
}

TEST(ExportRows, ARawPromptStaysText) {
  const auto rows = Exported(OnePair(kRaw), "pairs");
  EXPECT_EQ(rows[0]["prompt"], "Q");
  EXPECT_EQ(rows[0]["chosen"], "good");
}

TEST(ExportRows, SftIsThePromptWithItsChosenAnswer) {
  const auto rows = Exported(OnePair(kChat), "sft");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["messages"].dump(), R"([{"role":"user","content":"Q"},{"role":"assistant","content":"good"}])");
  EXPECT_EQ(rows[0]["completion_token_ids"], Json::parse("[6,7]"));
}

TEST(ExportRows, CandidatesAreAllThere) {
  const auto rows = Exported(OnePair(kChat), "candidates");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["completion"][0]["content"], "bad");
  EXPECT_EQ(rows[0]["score"], 1.0);
}

TEST(ExportRows, ALostRowIsAnError) {
  FixedRun run = OnePair(kChat);
  run.tables["candidates"].pop_back();
  EXPECT_EQ(ExportRows(run, "pairs", 0, [](const Json&) { return OkStatus(); }).code(), Code::kDataLoss);
}

TEST(ExportRows, JudgementsAreAnswersToTheJudgesQuestion) {
  FixedRun run;
  run.tables["judge_pairs"] = {
      Json::parse(R"({"round":1,"prompt_id":"q","sample":0,"outcome":"too_long","chosen":"a","rejected":"b"})"),
      Json::parse(R"({"round":1,"prompt_id":"p","sample":2,"outcome":"paired","reason":"why","prompt":"Grade",)"
                  R"("prompt_token_ids":[1],"chosen":"Score: 4","chosen_vote":1,"chosen_elo":0.5,"chosen_score":4.0,)"
                  R"("chosen_token_ids":[2],"rejected":"Score: 0","rejected_vote":0,"rejected_elo":-0.5,)"
                  R"("rejected_score":0.0,"rejected_token_ids":[3],"comparisons":[]})")};
  const auto rows = Exported(run, "judge_pairs");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].dump(),
            R"({"prompt":[{"role":"user","content":"Grade"}],"chosen":[{"role":"assistant","content":"Score: 4"}],)"
            R"("rejected":[{"role":"assistant","content":"Score: 0"}],"prompt_token_ids":[1],"chosen_token_ids":[2],)"
            R"("rejected_token_ids":[3],"chosen_score":4.0,"rejected_score":0.0,"chosen_elo":0.5,"rejected_elo":-0.5,)"
            R"("reason":"why","round":1,"prompt_id":"p","sample":2})");
}

}  // namespace
}  // namespace srlm::cli
