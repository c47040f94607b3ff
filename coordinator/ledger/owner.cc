#include "coordinator/ledger/owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/process.h"

namespace srlm::ledger {
namespace {

std::string Text(const Owner& owner) {
  const nlohmann::ordered_json json = {
      {"host", owner.host}, {"pid", owner.pid}, {"process_start", owner.process_start}, {"epoch", owner.epoch}};
  return json.dump(1) + "\n";
}

Result<Owner> ReadOwner(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  Owner owner;
  try {
    owner.host = json.at("host").get<std::string>();
    owner.pid = json.at("pid").get<int64_t>();
    owner.process_start = json.at("process_start").get<uint64_t>();
    owner.epoch = json.at("epoch").get<uint64_t>();
  } catch (const nlohmann::json::exception&) {
    return DataLoss(path + ": not an owner's lock; delete it when no coordinator holds this run");
  }
  return owner;
}

/// Whether the process that `owner` names still runs on this host. A zombie has ended, a reused pid is another.
bool IsAlive(const Owner& owner) {
  const auto process = ReadProcess(static_cast<pid_t>(owner.pid));
  return process && process->alive() && process->start_ticks == owner.process_start;
}

Status Held(const std::string& path, const Owner& owner) {
  if (owner.host != HostName())
    return FailedPrecondition(fmt::format(
        "{}: the run is held by process {} on host {} (epoch {}); stop it there, or delete this file when it is gone",
        path, owner.pid, owner.host, owner.epoch));
  return FailedPrecondition(
      fmt::format("{}: the run is held by a live coordinator, process {} on this host (epoch {}); stop it first, or "
                  "look at it with `srlm status`",
                  path, owner.pid, owner.epoch));
}

/// The lock file at a path, held with flock: one process at a time looks at it and replaces it.
class LockFile {
 public:
  explicit LockFile(const std::string& path) : path_(path), file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile() {
    if (file_ >= 0) close(file_);
  }
  /// Whether the file that is held is still the one at the path: a process that waited may find another.
  bool IsThere() const {
    struct stat opened{}, there{};
    return file_ >= 0 && fstat(file_, &opened) == 0 && stat(path_.c_str(), &there) == 0 &&
           opened.st_ino == there.st_ino;
  }

 private:
  std::string path_;
  int file_;
};

/// Removes the lock of a dead process; fails when its process may live.
Status RemoveIfDead(const std::string& path) {
  const LockFile file(path);
  if (!file.IsThere()) return OkStatus();  // gone by now: the caller looks again
  SRLM_ASSIGN_OR_RETURN(const Owner owner, ReadOwner(path));
  if (owner.host != HostName() || IsAlive(owner)) return Held(path, owner);
  unlink(path.c_str());
  return OkStatus();
}

}  // namespace

Owner ThisProcess() {
  const auto process = ReadProcess(getpid());
  return {HostName(), getpid(), process ? process->start_ticks : 0, 0};
}

Result<OwnerLock> OwnerLock::Claim(const std::string& run_dir) {
  const std::string path = run_dir + "/owner.lock";
  const Owner owner = ThisProcess();
  const std::string whole = fmt::format("{}.{}.{}", path, owner.host, owner.pid);
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(whole, Text(owner)));
  Status status;
  Failpoint("owner.before_claim");
  // A link is as exclusive as O_EXCL, and the file is never seen without its content.
  while (link(whole.c_str(), path.c_str()) != 0) {
    status = errno == EEXIST ? RemoveIfDead(path) : FileError("create", path, errno);
    if (!status.ok()) break;
  }
  unlink(whole.c_str());
  SRLM_RETURN_IF_ERROR(status);
  Failpoint("owner.after_claim");
  return OwnerLock(path, owner);
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept
    : path_(std::exchange(other.path_, {})), owner_(std::move(other.owner_)) {}

OwnerLock::~OwnerLock() {
  if (path_.empty()) return;
  const LockFile file(path_);
  if (file.IsThere() && IsOurs()) unlink(path_.c_str());
}

bool OwnerLock::IsOurs() const {
  const Result<Owner> there = ReadOwner(path_);
  return there.ok() && *there == owner_;
}

Status OwnerLock::SetEpoch(uint64_t epoch) {
  const LockFile file(path_);
  if (!file.IsThere() || !IsOurs())
    return Aborted(path_ + ": another coordinator has taken the run from this one, which ends");
  owner_.epoch = epoch;
  return WriteFileAtomic(path_, Text(owner_));
}

}  // namespace srlm::ledger
