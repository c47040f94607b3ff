// SQLite as values: a connection, and queries whose failures are statuses.
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "coordinator/ledger/column.h"

namespace srlm::ledger {

/// A prepared statement in use; it is free again when this goes away. BindNext gives the parameters, in order.
class Query {
 public:
  Query(sqlite3* connection, sqlite3_stmt* statement, const std::string* path)
      : connection_(connection), statement_(statement), path_(path) {}
  Query(Query&& other) noexcept;
  ~Query();

  template <class... V>
  void BindNext(const V&... values) {
    (BindColumn(statement_, ++parameter_, values), ...);
  }

  /// Goes to the next row; false after the last.
  Result<bool> Step();
  /// Runs a statement that has no rows.
  Status Run();

  /// The current row's values, from the first column on.
  template <class... V>
  void Read(V&... values) const {
    int column = 0;
    (ReadColumn(statement_, column++, values), ...);
  }

  /// All rows that are left, each filled by fill(query, row).
  template <class Row, class Fill>
  Result<std::vector<Row>> Rest(const Fill& fill) {
    std::vector<Row> rows;
    while (true) {
      SRLM_ASSIGN_OR_RETURN(const bool more, Step());
      if (!more) return rows;
      fill(*this, rows.emplace_back());
    }
  }

 private:
  sqlite3* connection_;
  sqlite3_stmt* statement_;
  const std::string* path_;
  int parameter_ = 0;
};

class Database {
 public:
  enum class Mode { kOwn, kLook };
  /// kOwn: made when missing, locked for this process alone until it is closed. kLook: must exist, never written.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, Mode mode);
  ~Database();

  /// A query of `sql`, whose text must be a constant of the program: it is prepared once.
  Result<Query> Prepare(const std::string& sql);
  /// Runs statements without parameters and rows.
  Status Execute(const std::string& sql);
  /// Writes a copy of the whole database, which replaces what is at `path`, and syncs it. Not by copying the file:
  /// closing it again would give up this process's lock on it.
  Status CopyTo(const std::string& path);
  /// Rows that the last write changed.
  int64_t Changes() const { return sqlite3_changes(connection_); }
  bool InTransaction() const { return sqlite3_get_autocommit(connection_) == 0; }
  const std::string& path() const { return path_; }

 private:
  Database(sqlite3* connection, std::string path) : connection_(connection), path_(std::move(path)) {}
  sqlite3* connection_;
  std::string path_;
  std::map<std::string, sqlite3_stmt*> statements_;
};

/// The status of SQLite's result code for the ledger at `path`: ResourceExhausted when its disk has no room, by the
/// connection's and the thread's errno, which the caller cleared before the call.
Status SqliteStatus(sqlite3* connection, int code, const std::string& path);

}  // namespace srlm::ledger
