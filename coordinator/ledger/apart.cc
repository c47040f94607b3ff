#include "coordinator/ledger/apart.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "common/base/failpoint.h"
#include "common/base/file.h"
#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"

namespace srlm::ledger {
namespace {

namespace fs = std::filesystem;

// A write within the same tick of the file system's clock as the last one does not show in the time of a file. Ticks
// are of some milliseconds locally, and of a second on old network file systems.
constexpr std::chrono::milliseconds kLongerThanATick(1100);
constexpr int kTries = 20;

// What tells whether somebody has written to the database or its journal.
struct State {
  std::array<struct stat, 2> files{};  // zeros for one that is not there

  static State Of(const std::string& path) {
    State state;
    (void)stat(path.c_str(), &state.files[0]);
    (void)stat((path + "-journal").c_str(), &state.files[1]);
    return state;
  }
  bool operator==(const State& other) const {
    for (size_t i = 0; i < files.size(); ++i) {
      const struct stat &a = files[i], &b = other.files[i];
      if (a.st_ino != b.st_ino || a.st_size != b.st_size || a.st_mtim.tv_sec != b.st_mtim.tv_sec ||
          a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
        return false;
    }
    return true;
  }
};

Status Copy(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return FileError("copy to " + to, from, error.value());
  return SyncPath(to);
}

// Database and journal as they were at one moment, which is what a crash at that moment would have left.
Status CopyAtOneMoment(const std::string& path, const std::string& copy) {
  for (int i = 0; i < kTries; ++i) {
    const State before = State::Of(path);
    std::this_thread::sleep_for(kLongerThanATick);
    std::error_code error;
    fs::remove(copy + "-journal", error);
    Status copied = Copy(path, copy);
    if (copied.ok() && before.files[1].st_size > 0) copied = Copy(path + "-journal", copy + "-journal");
    // A file that was cut or deleted meanwhile cannot be copied either.
    if (State::Of(path) == before) return copied;
  }
  return Unavailable(path + ": its earlier owner goes on writing although the run was taken from it; end that process");
}

}  // namespace

Status SetLedgerApart(const std::string& run_dir) {
  const std::string path = LedgerPath(run_dir);
  std::error_code error;
  if (!fs::exists(path, error)) return OkStatus();
  const std::string copy = fmt::format("{}.tmp.{}", path, getpid());
  Status status = CopyAtOneMoment(path, copy);
  // Opening it takes back a commit that was not whole.
  if (status.ok()) status = Database::Open(copy, Database::Mode::kOwn).status();
  if (status.ok()) {
    Failpoint("ledger.before_apart");
    // The old journal goes second: should it be found beside the copy after a crash, it takes back what it has taken
    // back before.
    if (rename(copy.c_str(), path.c_str()) != 0) status = FileError("rename to " + path, copy, errno);
  }
  if (status.ok()) {
    unlink((path + "-journal").c_str());
    status = SyncPath(run_dir);
  }
  fs::remove(copy, error);
  fs::remove(copy + "-journal", error);
  return status;
}

}  // namespace srlm::ledger
