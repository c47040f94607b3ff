#include "coordinator/ledger/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>

#include "coordinator/ledger/listing_rows.h"
#include "coordinator/ledger/round_summary.h"
#include "coordinator/ledger/tables.h"

namespace srlm::ledger {
namespace {

using Json = nlohmann::ordered_json;

// A page's token: the key of its last row, as numbers between dots. Reading goes on after it.
using RowKey = std::array<int64_t, 3>;
constexpr RowKey kBeforeAll = {-1, -1, -1};

std::string Token(const RowKey& key) { return fmt::format("{}.{}.{}", key[0], key[1], key[2]); }

Result<RowKey> ParseToken(const std::string& token) {
  RowKey key = kBeforeAll;
  if (token.empty()) return key;
  const char* at = token.data();
  const char* const end = at + token.size();
  for (size_t i = 0; i < key.size(); ++i) {
    const auto [stop, error] = std::from_chars(at, end, key[i]);
    const bool last = i + 1 == key.size();
    if (error != std::errc() || (last ? stop != end : stop == end || *stop != '.'))
      return InvalidArgument("page_token \"" + token + "\": not a token that List gave");
    at = stop + 1;
  }
  return key;
}

// The rows after a key, whose columns are `key_columns`, in their order. `key_of` gives a row's key; `which`, a
// condition, leaves rows out.
template <class Row, class KeyOf, class ToRowJson>
Result<ListPage> Page(const Ledger& ledger, const std::string& key_columns, int round, int64_t limit, RowKey after,
                      KeyOf key_of, ToRowJson to_json, const std::string& which = "true") {
  if (round > 0 && after[0] < round) after = {round, -1, -1};
  const auto columns = std::ranges::count(key_columns, ',') + 1;
  const std::string tail = fmt::format("WHERE ({}) > ({}) AND (?4 = 0 OR round = ?4) AND {} ORDER BY {} LIMIT ?5",
                                       key_columns, columns == 3 ? "?1, ?2, ?3" : "?1, ?2", which, key_columns);
  SRLM_ASSIGN_OR_RETURN(const std::vector<Row> rows,
                        Select<Row>(ledger.database(), tail, after[0], after[1], after[2], round, limit + 1));
  ListPage page;
  for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(limit); ++i) {
    SRLM_ASSIGN_OR_RETURN(Json json, to_json(rows[i]));
    page.rows.push_back(std::move(json));
  }
  if (rows.size() > static_cast<size_t>(limit))
    page.next_page_token = Token(key_of(rows[static_cast<size_t>(limit) - 1]));
  return page;
}

// Tokens of attempts begin with this: they are listed after all prompts.
constexpr char kAttempts = 'a';

Result<ListPage> AttemptPage(const Ledger& ledger, int round, int64_t limit, const RowKey& after) {
  const auto key_of = [](const AttemptRow& row) { return RowKey{row.round, row.attempt, 0}; };
  const auto to_json = [](const AttemptRow& row) -> Result<Json> { return AttemptJson(row); };
  ListPage page;
  if (limit > 0) {
    SRLM_ASSIGN_OR_RETURN(page, Page<AttemptRow>(ledger, "round, attempt", round, limit, after, key_of, to_json,
                                                 "state IN ('rejected', 'failed', 'surplus')"));
  }
  return page;
}

Result<ListPage> PromptPage(const Ledger& ledger, int round, int64_t limit, const std::string& token) {
  ListPage page;
  RowKey attempts_after = kBeforeAll;
  if (token.starts_with(kAttempts)) {
    SRLM_ASSIGN_OR_RETURN(attempts_after, ParseToken(token.substr(1)));
  } else {
    SRLM_ASSIGN_OR_RETURN(const RowKey after, ParseToken(token));
    SRLM_ASSIGN_OR_RETURN(page, Page<PromptRow>(
                                    ledger, "round, position", round, limit, after,
                                    [](const PromptRow& row) { return RowKey{row.round, row.position, 0}; },
                                    [](const PromptRow& row) -> Result<Json> { return PromptJson(row); }));
    if (!page.next_page_token.empty()) return page;
  }
  // After the last prompt the attempts at new ones that were not taken, as many as the page has room for.
  const int64_t room = limit - static_cast<int64_t>(page.rows.size());
  SRLM_ASSIGN_OR_RETURN(ListPage attempts, AttemptPage(ledger, round, room, attempts_after));
  std::ranges::move(attempts.rows, std::back_inserter(page.rows));
  if (room == 0) attempts.next_page_token = Token(kBeforeAll);
  if (!attempts.next_page_token.empty()) page.next_page_token = kAttempts + attempts.next_page_token;
  return page;
}

Result<ListPage> RoundPage(const Ledger& ledger, int round) {
  SRLM_ASSIGN_OR_RETURN(const auto summaries, SummariseRounds(ledger));
  ListPage page;
  for (const v1::RoundSummary& summary : summaries)
    if (round == 0 || static_cast<int>(summary.round()) == round) page.rows.push_back(RoundJson(summary));
  return page;
}

Result<ListPage> EvaluationPage(const Ledger& ledger, int round) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<ModelRow> models, ledger.Models());
  ListPage page;
  for (int number = 0; number <= static_cast<int>(models.size()); ++number) {
    if (round > 0 && number != round + 1) continue;
    SRLM_ASSIGN_OR_RETURN(const auto model, ledger.Model(fmt::format("M{}", number)));
    if (!model) continue;
    SRLM_ASSIGN_OR_RETURN(const auto metrics, ledger.Evaluation(model->name));
    if (metrics) page.rows.push_back(EvaluationJson(*model, *metrics));
  }
  return page;
}

// Keys of answers are texts: a token is a number of rows.
Result<ListPage> EvaluationAnswerPage(const Ledger& ledger, int round, int64_t limit, const RowKey& after) {
  const int64_t skip = std::max<int64_t>(after[0], 0);
  const std::string which = round > 0 ? fmt::format("M{}", round + 1) : "";
  SRLM_ASSIGN_OR_RETURN(const auto rows,
                        Select<EvaluationAnswerRow>(ledger.database(),
                                                    "WHERE (?1 = '' OR model = ?1 OR model LIKE ?1 || '.%') ORDER BY "
                                                    "length(model), model, prompt LIMIT ?2 OFFSET ?3",
                                                    which, limit + 1, skip));
  ListPage page;
  for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(limit); ++i) {
    SRLM_ASSIGN_OR_RETURN(Json json, EvaluationAnswerJson(ledger, rows[i]));
    page.rows.push_back(std::move(json));
  }
  if (rows.size() > static_cast<size_t>(limit)) page.next_page_token = Token({skip + limit, 0, 0});
  return page;
}

Result<ListPage> EventPage(const Ledger& ledger, int round, int64_t limit, const RowKey& after) {
  SRLM_ASSIGN_OR_RETURN(const std::vector<EventRow> rows, ledger.Events(round, after[0], limit + 1));
  ListPage page;
  for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(limit); ++i) page.rows.push_back(EventJson(rows[i]));
  if (rows.size() > static_cast<size_t>(limit))
    page.next_page_token = Token({rows[static_cast<size_t>(limit) - 1].sequence, 0, 0});
  return page;
}

}  // namespace

Result<ListPage> List(const Ledger& ledger, std::string_view table, int round, int64_t limit,
                      const std::string& page_token) {
  if (limit <= 0) limit = 1000;
  if (table == "prompts") return PromptPage(ledger, round, limit, page_token);
  SRLM_ASSIGN_OR_RETURN(const RowKey after, ParseToken(page_token));
  if (table == "candidates")
    return Page<CandidateRow>(
        ledger, "round, position, sample", round, limit, after,
        [](const CandidateRow& row) { return RowKey{row.round, row.position, row.sample}; },
        [&](const CandidateRow& row) { return CandidateJson(ledger, row); });
  if (table == "pairs")
    return Page<PairRow>(
        ledger, "round, position, pair", round, limit, after,
        [](const PairRow& row) { return RowKey{row.round, row.position, row.pair}; },
        [&](const PairRow& row) { return PairJson(ledger, row); });
  if (table == "judge_pairs")
    return Page<JudgePairRow>(
        ledger, "round, position", round, limit, after,
        [](const JudgePairRow& row) { return RowKey{row.round, row.position, 0}; },
        [&](const JudgePairRow& row) { return JudgePairJson(ledger, row); });
  if (table == "rounds") return RoundPage(ledger, round);
  if (table == "evaluations") return EvaluationPage(ledger, round);
  if (table == "evaluation_answers") return EvaluationAnswerPage(ledger, round, limit, after);
  if (table == "events") return EventPage(ledger, round, limit, after);
  return InvalidArgument(
      fmt::format("no table \"{}\"; there are prompts, candidates, pairs, judge_pairs, rounds, evaluations, "
                  "evaluation_answers and events",
                  table));
}

}  // namespace srlm::ledger
