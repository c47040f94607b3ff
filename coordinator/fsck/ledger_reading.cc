#include "coordinator/fsck/ledger_reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"

namespace srlm::fsck {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "/ledger.sqlite", kJournal[] = "/ledger.sqlite-journal";

/// Whether a process has the ledger locked, as its coordinator does as long as it has the run (SQLite's lock bytes,
/// https://www.sqlite.org/fileformat2.html#the_lock_byte_page). Asks without taking a lock.
bool IsLocked(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000001;  // the reserved byte, and those that readers share
  lock.l_len = 511;
  const bool locked = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return locked;
}

/// Size and time of change of ledger and journal.
std::string StampOf(const std::string& run_dir) {
  std::string stamp;
  for (const char* name : {kFile, kJournal}) {
    struct stat info{};
    if (stat((run_dir + name).c_str(), &info) != 0) continue;
    for (const int64_t part : {int64_t{info.st_size}, int64_t{info.st_mtim.tv_sec}, int64_t{info.st_mtim.tv_nsec}})
      stamp += std::to_string(part) + " ";
  }
  return stamp;
}

}  // namespace

Status LedgerReading::CopyFrom(const std::string& run_dir) {
  std::error_code error;
  SRLM_ASSIGN_OR_RETURN(copy_, TemporaryFolder::Make("srlm-fsck"));
  const std::string before = StampOf(run_dir);
  for (const char* name : {kFile, kJournal}) {
    fs::copy_file(run_dir + name, copy_->path() + name, error);
    if (error) return FileError("copy to " + copy_->path(), run_dir + name, error.value());
  }
  if (StampOf(run_dir) != before || IsLocked(run_dir + kFile))
    return Unavailable(run_dir + ": a coordinator has just taken the run");
  return OkStatus();
}

Result<std::unique_ptr<LedgerReading>> LedgerReading::Open(const std::string& run_dir) {
  auto reading = std::unique_ptr<LedgerReading>(new LedgerReading);
  if (IsLocked(run_dir + kFile)) return Unavailable(run_dir + ": a coordinator has the run");
  std::error_code error;
  const bool unfinished = fs::file_size(run_dir + kJournal, error) > 0 && !error;
  if (unfinished) SRLM_RETURN_IF_ERROR(reading->CopyFrom(run_dir));
  SRLM_ASSIGN_OR_RETURN(reading->ledger_, ledger::Ledger::OpenReadOnly(unfinished ? reading->copy_->path() : run_dir));
  return reading;
}

}  // namespace srlm::fsck
