#include "coordinator/ledger/listing.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "coordinator/ledger/listing_rows.h"
#include "coordinator/ledger/round_summary.h"
#include "coordinator/ledger/tables.h"

namespace srlm::ledger {
namespace {

using Json = nlohmann::ordered_json;

Result<int64_t> ParseToken(const std::string& token) {
  int64_t after = 0;
  if (token.empty()) return after;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), after);
  if (error != std::errc() || end != token.data() + token.size() || after < 0)
    return InvalidArgument("page_token \"" + token + "\": not a token that List gave");
  return after;
}

// Tables without an order of their own are read in rowid order, which is the order of arrival; so pages go by the
// key's order with an offset, which stays right because rows are never deleted.
template <class Row, class ToRowJson>
Result<ListPage> Page(const Ledger& ledger, const std::string& order, int round, int64_t limit, int64_t offset,
                      ToRowJson to_json) {
  SRLM_ASSIGN_OR_RETURN(
      const std::vector<Row> rows,
      Select<Row>(ledger.database(), "WHERE (?1 = 0 OR round = ?1) ORDER BY " + order + " LIMIT ? OFFSET ?", round,
                  limit + 1, offset));
  ListPage page;
  for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(limit); ++i) {
    SRLM_ASSIGN_OR_RETURN(Json json, to_json(rows[i]));
    page.rows.push_back(std::move(json));
  }
  if (rows.size() > static_cast<size_t>(limit)) page.next_page_token = std::to_string(offset + limit);
  return page;
}

constexpr char kPosition[] =
    "round, (SELECT position FROM prompts p WHERE p.round = t.round AND p.prompt_id = t.prompt_id)";

// The round's prompts, and after them the attempts at new ones that were not taken.
Result<ListPage> PromptPage(const Ledger& ledger, int round, int64_t limit, int64_t offset) {
  SRLM_ASSIGN_OR_RETURN(ListPage page,
                        Page<PromptRow>(ledger, "round, position", round, limit, offset,
                                        [](const PromptRow& row) -> Result<Json> { return PromptJson(row); }));
  if (!page.next_page_token.empty()) return page;
  SRLM_ASSIGN_OR_RETURN(const std::vector<PromptRow> prompts, ledger.Prompts(round));
  SRLM_ASSIGN_OR_RETURN(const std::vector<AttemptRow> attempts, ledger.Attempts(round));
  auto at = static_cast<int64_t>(prompts.size());  // of the next attempt in the list of both
  for (const AttemptRow& row : attempts) {
    if (row.state != "rejected" && row.state != "failed") continue;
    if (at++ < offset) continue;
    if (page.rows.size() == static_cast<size_t>(limit)) {
      page.next_page_token = std::to_string(offset + limit);
      break;
    }
    page.rows.push_back(AttemptJson(row));
  }
  return page;
}

Result<ListPage> RoundPage(const Ledger& ledger, int round) {
  SRLM_ASSIGN_OR_RETURN(const auto summaries, SummariseRounds(ledger));
  ListPage page;
  for (const v1::RoundSummary& summary : summaries)
    if (round == 0 || static_cast<int>(summary.round()) == round) page.rows.push_back(RoundJson(summary));
  return page;
}

}  // namespace

Result<ListPage> List(const Ledger& ledger, std::string_view table, int round, int64_t limit,
                      const std::string& page_token) {
  if (limit <= 0) limit = 1000;
  SRLM_ASSIGN_OR_RETURN(const int64_t offset, ParseToken(page_token));
  if (table == "prompts") return PromptPage(ledger, round, limit, offset);
  if (table == "candidates")
    return Page<CandidateRow>(ledger, std::string(kPosition) + ", sample", round, limit, offset,
                              [&](const CandidateRow& row) { return CandidateJson(ledger, row); });
  if (table == "pairs")
    return Page<PairRow>(ledger, kPosition, round, limit, offset,
                         [&](const PairRow& row) { return PairJson(ledger, row); });
  if (table == "rounds") return RoundPage(ledger, round);
  if (table == "events")
    return Page<EventRow>(ledger, "sequence", round, limit, offset,
                          [](const EventRow& row) -> Result<Json> { return EventJson(row); });
  return InvalidArgument(
      fmt::format("no table \"{}\"; there are prompts, candidates, pairs, rounds and events", table));
}

}  // namespace srlm::ledger
