#include "coordinator/ledger/owner_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "common/base/process.h"

namespace srlm::ledger {
namespace {

constexpr double kWaitForGuard = 5;  // seconds; whoever has it has it for a moment

bool IsSameFile(int file, const struct stat& there) {
  struct stat opened{};
  return file >= 0 && fstat(file, &opened) == 0 && opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

/// The right to replace the lock at a path, which one process has at a time: a flock on the file there. File systems
/// without flock give it to everybody; then the loser of a race finds out by OwnerLock::Check.
class Guard {
 public:
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    if (file_ >= 0) close(file_);
  }
  /// Waits for it. Unavailable when somebody keeps it: a process that was stopped in the middle of it.
  Status Take(const std::string& path) {
    const Deadline deadline = Deadline::AfterSeconds(kWaitForGuard);
    while (true) {
      if (file_ >= 0) close(file_);
      file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (file_ < 0) return errno == ENOENT ? OkStatus() : FileError("open", path, errno);
      if (flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        struct stat there{};
        if (stat(path.c_str(), &there) == 0 && IsSameFile(file_, there)) return OkStatus();
        continue;  // it was replaced in between
      }
      if (deadline.Expired())
        return Unavailable(path +
                           ": a process holds this file in the middle of a change; if it was stopped (ps shows " +
                           "T), end it");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  /// Whether there was a file at the path.
  bool found() const { return file_ >= 0; }

 private:
  int file_ = -1;
};

std::string Span(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  return seconds < 7200 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.0f} h", seconds / 3600);
}

Status Held(const std::string& path, const LastSeen& seen) {
  const bool here = seen.owner.host == HostName();
  return FailedPrecondition(fmt::format(
      "{}: the run is held by {}, last heard {} ago; look at it with `srlm status`, or stop it first{}. If it {}, take "
      "the run from it with `srlm run ... --take-over`: what it does after that is not stored",
      path, Describe(seen.owner), Span(seen.age_s), here ? "" : " on its host",
      here ? "is stopped and will not go on" : "is gone for good"));
}

Status Lost(const std::string& path) {
  std::string by = "another coordinator";
  if (const auto text = ReadFile(path); text.ok())
    if (const auto owner = ParseOwner(*text, path); owner.ok()) by = Describe(*owner);
  return Aborted(
      fmt::format("{}: the run was taken over by {}; this coordinator ends, and has stored nothing since", path, by));
}

}  // namespace

Result<OwnerLock> OwnerLock::Claim(const std::string& run_dir, const ClaimOptions& options) {
  const std::string path = run_dir + "/owner.lock";
  const Owner self = ThisProcess();
  Failpoint("owner.before_claim");
  const auto seen = ReadOwnerLock(run_dir);
  if (!seen.ok() && seen.status().code() != Code::kNotFound) return seen.status();
  const bool held = seen.ok() && !ProofOfEnd(*seen);
  if (held && !options.take_over) return Held(path, *seen);
  OwnerLock lock(path, self, -1, held);
  Guard guard;
  SRLM_RETURN_IF_ERROR(guard.Take(path));
  if (guard.found()) {
    SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    SRLM_ASSIGN_OR_RETURN(const Owner there, ParseOwner(text, path));
    if (!there.released && (!seen.ok() || !(there == seen->owner)))
      return Held(path, {there, 0});  // somebody was faster
    SRLM_RETURN_IF_ERROR(lock.Replace(self));
  } else {
    SRLM_RETURN_IF_ERROR(lock.PutFirst(self));
  }
  Failpoint("owner.after_claim");
  return lock;
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      owner_(std::move(other.owner_)),
      file_(std::exchange(other.file_, -1)),
      displaced_(other.displaced_) {}

OwnerLock::~OwnerLock() {
  if (!path_.empty() && file_ >= 0) {
    (void)WhileOurs([&] {
      // First in the file itself: a process that was about to judge it finds that it is free.
      const std::string text = OwnerText([&] {
        Owner released = owner_;
        released.released = true;
        return released;
      }());
      if (pwrite(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()))
        (void)!ftruncate(file_, static_cast<off_t>(text.size()));
      unlink(path_.c_str());
      return OkStatus();
    });
  }
  if (file_ >= 0) close(file_);
}

// Puts the first lock where there is none.
Status OwnerLock::PutFirst(const Owner& owner) {
  const std::string beside = fmt::format("{}.{}.{}", path_, owner.host, owner.pid);
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(beside, OwnerText(owner)));
  // A link is as exclusive as O_EXCL, and the file is never seen without its content.
  const int error = link(beside.c_str(), path_.c_str()) == 0 ? 0 : errno;
  unlink(beside.c_str());
  if (error == EEXIST) return FailedPrecondition(path_ + ": another coordinator has just taken the run");
  if (error != 0) return FileError("create", path_, error);
  return Adopt(owner);
}

// Writes the lock anew and puts it in the place of what is there.
Status OwnerLock::Replace(const Owner& owner) {
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(path_, OwnerText(owner)));
  return Adopt(owner);
}

// The file at the path is this owner's.
Status OwnerLock::Adopt(const Owner& owner) {
  const int file = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return FileError("open", path_, errno);
  if (file_ >= 0) close(file_);
  file_ = file;
  owner_ = owner;
  return OkStatus();
}

Status OwnerLock::Check() const {
  const int there = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (there < 0) return errno == ENOENT ? Lost(path_) : FileError("open", path_, errno);
  struct stat info{};
  const bool ours = fstat(there, &info) == 0 && IsSameFile(file_, info);
  close(there);
  return ours ? OkStatus() : Lost(path_);
}

Status OwnerLock::WhileOurs(const std::function<Status()>& change) {
  Guard guard;
  SRLM_RETURN_IF_ERROR(guard.Take(path_));
  SRLM_RETURN_IF_ERROR(Check());
  return change();
}

Status OwnerLock::SetEpoch(uint64_t epoch) {
  Owner next = owner_;
  next.epoch = epoch;
  return WhileOurs([&] { return Replace(next); });
}

Status OwnerLock::Renew() {
  SRLM_RETURN_IF_ERROR(Check());
  if (futimens(file_, nullptr) != 0) return FileError("renew", path_, errno);
  return OkStatus();
}

}  // namespace srlm::ledger
