#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

Status Ledger::AddEvent(const EventRow& row) {
  return Update("INSERT INTO events (time_ms, epoch, round, level, event, message) VALUES (?, ?, ?, ?, ?, ?)",
                row.time_ms, row.epoch, row.round, row.level, row.event, row.message);
}

Result<std::vector<EventRow>> Ledger::Events(int round, int64_t after_sequence, int64_t limit) const {
  return Select<EventRow>(*database_, "WHERE (?1 = 0 OR round = ?1) AND sequence > ? ORDER BY sequence LIMIT ?", round,
                          after_sequence, limit);
}

Result<std::vector<std::string>> Ledger::LastErrors(int64_t limit) const {
  SRLM_ASSIGN_OR_RETURN(
      const std::vector<EventRow> rows,
      Select<EventRow>(*database_, "WHERE level IN ('error', 'warning') ORDER BY sequence DESC LIMIT ?", limit));
  std::vector<std::string> lines;
  for (const EventRow& row : rows) lines.insert(lines.begin(), row.event + ": " + row.message);
  return lines;
}

Status Ledger::SetItemFault(const ItemFaultRow& row) { return Set(row); }

Result<std::optional<ItemFaultRow>> Ledger::ItemFault(const std::string& item_id) const {
  return SelectOne<ItemFaultRow>(*database_, "WHERE item_id = ?", item_id);
}

Result<std::vector<ItemFaultRow>> Ledger::ItemFaults(int round) const {
  return Select<ItemFaultRow>(*database_, "WHERE round = ? ORDER BY item_id", round);
}

Result<bool> Ledger::HasEvent(int round, const std::string& event, const std::string& message) const {
  SRLM_ASSIGN_OR_RETURN(
      const auto row,
      SelectOne<EventRow>(*database_, "WHERE round = ? AND event = ? AND message = ? LIMIT 1", round, event, message));
  return row.has_value();
}

}  // namespace srlm::ledger
