#include "coordinator/ledger/database.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/file.h"

namespace srlm::ledger {
namespace {

constexpr int kApplicationId = 0x73726c6d;  // "srlm"

}  // namespace

Status SqliteStatus(sqlite3* connection, int code, const std::string& path) {
  const int left = errno;  // of the call, where a commit fails
  const std::string text = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  const int primary = code & 0xff;
  // The system's own reason is kept for failures to open, read or write a file; a journal is one of them.
  const bool of_file = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY;
  const int kept = connection != nullptr ? sqlite3_system_errno(connection) : 0;
  const int reason = !of_file ? 0 : IsNoRoom(left) ? left : kept;
  if (primary == SQLITE_FULL || IsNoRoom(reason))
    return ResourceExhausted(
        fmt::format("{}: cannot be written ({})", path, reason == 0 ? text : std::strerror(reason)));
  switch (primary) {
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return InternalError(fmt::format("{}: cannot be read or written ({}{})", path, text,
                                       reason == 0 ? "" : fmt::format(": {}", std::strerror(reason))));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return DataLoss(fmt::format("{}: damaged or no ledger ({})", path, text));
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Unavailable(fmt::format("{}: another process has it open ({})", path, text));
    case SQLITE_CANTOPEN: return NotFound(fmt::format("{}: cannot be opened ({})", path, text));
    case SQLITE_READONLY:
    case SQLITE_PERM: return InvalidArgument(fmt::format("{}: cannot be written ({})", path, text));
    default: return InternalError(fmt::format("{}: SQLite code {}: {}", path, code, text));
  }
}

Query::Query(Query&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      path_(other.path_),
      parameter_(other.parameter_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Query::Step() {
  errno = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteStatus(connection_, code, *path_);
}

Status Query::Run() { return Step().status(); }

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::kOwn ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  auto database = std::unique_ptr<Database>(new Database(connection, path));
  if (code != SQLITE_OK) return SqliteStatus(connection, code, path);
  sqlite3_busy_timeout(connection, 2000);
  if (mode == Mode::kLook) {
    SRLM_RETURN_IF_ERROR(database->Execute("PRAGMA query_only = ON"));
    return database;
  }
  SRLM_RETURN_IF_ERROR(database->Execute("PRAGMA temp_store = MEMORY"));  // what savepoints keep
  // No WAL: its shared memory does not work on NFS and Lustre. The lock is taken at once, and kept.
  SRLM_RETURN_IF_ERROR(database->Execute("PRAGMA locking_mode = EXCLUSIVE"));
  SRLM_RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode = TRUNCATE"));
  SRLM_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous = FULL"));
  SRLM_RETURN_IF_ERROR(database->Execute("BEGIN EXCLUSIVE"));
  // A write, so that the journal is open from now on: an owner that has lost the run must not open the next one's.
  SRLM_RETURN_IF_ERROR(database->Execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
  SRLM_RETURN_IF_ERROR(database->Execute("COMMIT"));
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

Result<Query> Database::Prepare(const std::string& sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(connection_, sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteStatus(connection_, code, path_);
  }
  SRLM_CHECK(sqlite3_stmt_busy(statement) == 0, "a query is used inside itself: " + sql);
  return Query(connection_, statement, &path_);
}

Status Database::CopyTo(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);  // VACUUM INTO writes no file that is there
  Result<Query> copy = Prepare("VACUUM INTO ?");
  if (!copy.ok()) return copy.status();
  copy->BindNext(path);
  SRLM_RETURN_IF_ERROR(copy->Run().WithContext("copy to " + path));
  return SyncPath(path);
}

Status Database::Execute(const std::string& sql) {
  errno = 0;
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? OkStatus() : SqliteStatus(connection_, code, path_);
}

}  // namespace srlm::ledger
