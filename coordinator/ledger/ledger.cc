#include "coordinator/ledger/ledger.h"

#include <filesystem>
#include <utility>

#include "common/base/failpoint.h"
#include "coordinator/ledger/schema.h"
#include "coordinator/ledger/tables.h"
#include "coordinator/ledger/write.h"

namespace srlm::ledger {

std::string LedgerPath(const std::string& run_dir) { return run_dir + "/ledger.sqlite"; }

Ledger::Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::Open(const std::string& run_dir, Fence fence) {
  SRLM_ASSIGN_OR_RETURN(auto database, Database::Open(LedgerPath(run_dir), Database::Mode::kOwn));
  if (fence) SRLM_RETURN_IF_ERROR(fence());
  SRLM_RETURN_IF_ERROR(Migrate(*database));
  std::unique_ptr<Ledger> ledger(new Ledger(std::move(database)));
  ledger->fence_ = std::move(fence);
  return ledger;
}

Result<std::unique_ptr<Ledger>> Ledger::OpenReadOnly(const std::string& run_dir) {
  const std::string path = LedgerPath(run_dir);
  if (!std::filesystem::exists(path))
    return NotFound(run_dir + ": no run here (no ledger.sqlite); give the folder that `srlm run` printed");
  SRLM_ASSIGN_OR_RETURN(auto database, Database::Open(path, Database::Mode::kLook));
  SRLM_ASSIGN_OR_RETURN(Query query, database->Prepare("PRAGMA user_version"));
  SRLM_RETURN_IF_ERROR(query.Step().status());
  int version = 0;
  query.Read(version);
  SRLM_RETURN_IF_ERROR(CheckVersion(*database, version));
  if (version != kSchemaVersion)
    return FailedPrecondition(path + ": another version of the ledger; `srlm run` of this srlm brings it up to date");
  return std::unique_ptr<Ledger>(new Ledger(std::move(database)));
}

Status Ledger::Begin() {
  if (!database_->InTransaction()) SRLM_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  if (!in_unit_ || unit_began_) return OkStatus();
  SRLM_RETURN_IF_ERROR(database_->Execute("SAVEPOINT unit"));
  unit_began_ = writes_.size();
  return OkStatus();
}

Status Ledger::Write(OneWrite write) {
  SRLM_RETURN_IF_ERROR(broken_);
  const auto begin_and_write = [&] {
    SRLM_RETURN_IF_ERROR(Begin());
    return write();
  };
  SRLM_RETURN_IF_ERROR(Keep(UntilThereIsRoom(begin_and_write(), begin_and_write)));
  writes_.push_back(std::move(write));
  return OkStatus();
}

Status Ledger::UntilThereIsRoom(Status status, const OneWrite& step) {
  while (status.code() == Code::kResourceExhausted && waiter_) {
    SRLM_RETURN_IF_ERROR(waiter_(status));
    status = WriteAgain();
    if (status.ok()) status = step();
  }
  return status;
}

// SQLite takes a whole transaction back when one of its writes, or its commit, finds no room.
Status Ledger::WriteAgain() {
  if (database_->InTransaction()) (void)database_->Execute("ROLLBACK");
  SRLM_RETURN_IF_ERROR(fence_ ? fence_() : OkStatus());
  if (writes_.empty() && !unit_began_) return OkStatus();
  SRLM_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  for (size_t i = 0; i <= writes_.size(); ++i) {
    if (unit_began_ == i) SRLM_RETURN_IF_ERROR(database_->Execute("SAVEPOINT unit"));
    if (i < writes_.size()) SRLM_RETURN_IF_ERROR(writes_[i]());
  }
  return OkStatus();
}

Status Ledger::EndUnit(bool keep) {
  in_unit_ = false;
  if (!unit_began_ || !broken_.ok()) {
    unit_began_.reset();
    return OkStatus();
  }
  if (!keep) {
    writes_.resize(*unit_began_);
    const auto nothing = [] { return OkStatus(); };
    SRLM_RETURN_IF_ERROR(Keep(UntilThereIsRoom(database_->Execute("ROLLBACK TO unit"), nothing)));
  }
  unit_began_.reset();
  return Keep(database_->Execute("RELEASE unit"));
}

Status Ledger::Keep(Status status) {
  if (!status.ok() && broken_.ok()) {
    broken_ = status;
    if (database_->InTransaction()) (void)database_->Execute("ROLLBACK");
  }
  return status;
}

Status Ledger::CheckFence() {
  SRLM_RETURN_IF_ERROR(broken_);
  return fence_ ? Keep(fence_()) : OkStatus();
}

Status Ledger::Commit() {
  SRLM_RETURN_IF_ERROR(broken_);
  unit_began_.reset();  // a commit releases the savepoint
  if (!database_->InTransaction() && writes_.empty()) return OkStatus();
  SRLM_RETURN_IF_ERROR(CheckFence());
  Failpoint("ledger.before_commit");
  const auto commit = [this] { return database_->InTransaction() ? database_->Execute("COMMIT") : OkStatus(); };
  const auto whole = [&] {  // a read that failed may have taken the transaction back
    if (!database_->InTransaction()) SRLM_RETURN_IF_ERROR(WriteAgain());
    return commit();
  };
  SRLM_RETURN_IF_ERROR(Keep(UntilThereIsRoom(whole(), commit)));
  writes_.clear();
  Failpoint("ledger.after_commit");
  // Who takes the run changes the lock first and copies the ledger then: what was committed before the lock changed is
  // in the copy.
  return CheckFence();
}

Result<std::string> Ledger::Fact(const std::string& key) const {
  SRLM_ASSIGN_OR_RETURN(Query query, database_->Prepare("SELECT value FROM facts WHERE key = ?"));
  query.BindNext(key);
  SRLM_ASSIGN_OR_RETURN(const bool found, query.Step());
  std::string value;
  if (found) query.Read(value);
  return value;
}

Status Ledger::SetFact(const std::string& key, const std::string& value) {
  return Update("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", key, value);
}

Result<bool> Ledger::AddModel(const ModelRow& row) { return Add(row); }

Result<std::optional<ModelRow>> Ledger::Model(const std::string& name) const {
  return SelectOne<ModelRow>(*database_, "WHERE name = ?", name);
}

Result<std::vector<ModelRow>> Ledger::Models() const { return Select<ModelRow>(*database_, "ORDER BY name"); }

Status Ledger::SetRound(const RoundRow& row) { return Set(row); }

Result<std::optional<RoundRow>> Ledger::Round(int round) const {
  return SelectOne<RoundRow>(*database_, "WHERE round = ?", round);
}

Result<std::vector<RoundRow>> Ledger::Rounds() const { return Select<RoundRow>(*database_, "ORDER BY round"); }

}  // namespace srlm::ledger
