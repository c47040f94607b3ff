#include "coordinator/ledger/owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "common/base/failpoint.h"
#include "common/base/file.h"

namespace srlm::ledger {
namespace {

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

// Field 22 of /proc/<pid>/stat; 0 when there is no such process.
uint64_t ProcessStart(int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = 3; i < 22; ++i) fields >> field;
  uint64_t start = 0;
  fields >> start;
  return start;
}

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

// Removes the lock of a dead process. Of two processes that both found it, the second finds another file at the
// path once it has the file lock, and looks again.
Status RemoveIfDead(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return OkStatus();  // gone by now
  flock(file, LOCK_EX);
  struct stat opened{}, there{};
  const bool same = fstat(file, &opened) == 0 && stat(path.c_str(), &there) == 0 && opened.st_ino == there.st_ino;
  Status status;
  if (same) {
    const Result<Owner> owner = ReadOwner(path);
    if (!owner.ok()) {
      status = owner.status();
    } else if (owner->host != HostName()) {
      status = FailedPrecondition(fmt::format(
          "{}: the run is held by process {} on host {} (epoch {}); stop it there, or delete this file when it is gone",
          path, owner->pid, owner->host, owner->epoch));
    } else if (ProcessStart(owner->pid) == owner->process_start) {
      status = FailedPrecondition(fmt::format(
          "{}: the run is held by a live coordinator, process {} on this host (epoch {}); stop it first, or "
          "look at it with `srlm status`",
          path, owner->pid, owner->epoch));
    } else {
      unlink(path.c_str());
    }
  }
  close(file);
  return status;
}

}  // namespace

Owner ThisProcess() { return {HostName(), getpid(), ProcessStart(getpid()), 0}; }

Result<OwnerLock> OwnerLock::Claim(const std::string& run_dir) {
  const std::string path = run_dir + "/owner.lock";
  const Owner owner = ThisProcess();
  const std::string whole = fmt::format("{}.{}.{}", path, owner.host, owner.pid);
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(whole, Text(owner)));
  Status status;
  Failpoint("owner.before_claim");
  // A link is as exclusive as O_EXCL, and the file is never seen without its content.
  while (link(whole.c_str(), path.c_str()) != 0) {
    status = errno == EEXIST ? RemoveIfDead(path) : FileError("cannot create", path, errno);
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
  if (!path_.empty()) unlink(path_.c_str());
}

Status OwnerLock::SetEpoch(uint64_t epoch) {
  owner_.epoch = epoch;
  return WriteFileAtomic(path_, Text(owner_));
}

}  // namespace srlm::ledger
