#include "coordinator/ledger/owner.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/command.h"
#include "common/base/file.h"
#include "common/base/process.h"

namespace srlm::ledger {
namespace {

constexpr double kQuietAfterBoot = 60;   // seconds without a renewal: the owner did not come up again by itself
constexpr double kAskSlurmSeconds = 15;  // a busy controller is slow

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string PidNamespace() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

// Modification time by the file system's clock.
double TimeOf(const struct stat& info) {
  return static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
}

// Whether Slurm knows that a job is over. States: squeue(1).
bool IsOver(const std::string& job_id) {
  if (job_id.find_first_not_of("0123456789_") != std::string::npos) return false;
  const auto answer = RunCommand({"squeue", "--noheader", "--states=all", "--format=%T", "--jobs=" + job_id},
                                 Deadline::AfterSeconds(kAskSlurmSeconds));
  if (!answer.ok()) return false;
  if (answer->exit_code != 0) return answer->output.find("Invalid job id") != std::string::npos;
  const std::string state = answer->output.substr(0, answer->output.find('\n'));
  constexpr std::array kOver = {"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE", "FAILED",
                                "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "TIMEOUT",  ""};  // "": no longer listed
  return std::ranges::find(kOver, state) != kOver.end();
}

}  // namespace

Owner ThisProcess() {
  const auto process = ReadProcess(getpid());
  Owner owner;
  owner.host = HostName();
  owner.pid = getpid();
  owner.process_start = process ? process->start_ticks : 0;
  owner.boot_id = FirstLine("/proc/sys/kernel/random/boot_id");
  owner.pid_namespace = PidNamespace();
  owner.slurm_job_id = Variable("SLURM_JOB_ID");
  owner.slurm_restart = std::atoi(Variable("SLURM_RESTART_COUNT").c_str());
  return owner;
}

std::string Describe(const Owner& owner) {
  std::string text = fmt::format("process {} on host {} (epoch {}", owner.pid, owner.host, owner.epoch);
  if (!owner.slurm_job_id.empty()) text += ", Slurm job " + owner.slurm_job_id;
  return text + ")";
}

std::string OwnerText(const Owner& owner) {
  const nlohmann::ordered_json json = {{"host", owner.host},
                                       {"pid", owner.pid},
                                       {"process_start", owner.process_start},
                                       {"boot_id", owner.boot_id},
                                       {"pid_namespace", owner.pid_namespace},
                                       {"slurm_job_id", owner.slurm_job_id},
                                       {"slurm_restart", owner.slurm_restart},
                                       {"epoch", owner.epoch},
                                       {"released", owner.released}};
  return json.dump(1) + "\n";
}

Result<Owner> ParseOwner(const std::string& text, const std::string& path) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  Owner owner;
  try {
    owner.host = json.at("host").get<std::string>();
    owner.pid = json.at("pid").get<int64_t>();
    owner.process_start = json.at("process_start").get<uint64_t>();
    owner.boot_id = json.at("boot_id").get<std::string>();
    owner.pid_namespace = json.at("pid_namespace").get<std::string>();
    owner.slurm_job_id = json.at("slurm_job_id").get<std::string>();
    owner.slurm_restart = json.at("slurm_restart").get<int>();
    owner.epoch = json.at("epoch").get<uint64_t>();
    owner.released = json.at("released").get<bool>();
  } catch (const nlohmann::json::exception&) {
    return DataLoss(path + ": not an owner's lock; delete it when no coordinator holds this run");
  }
  return owner;
}

Result<LastSeen> ReadOwnerLock(const std::string& run_dir) {
  const std::string path = run_dir + "/owner.lock";
  SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  LastSeen seen;
  SRLM_ASSIGN_OR_RETURN(seen.owner, ParseOwner(text, path));
  if (seen.owner.released) return NotFound(path + ": nobody holds the run");
  // A file written now has the file system's time, whatever this host's clock says.
  const std::string probe = fmt::format("{}.now.{}.{}", path, HostName(), getpid());
  SRLM_RETURN_IF_ERROR(WriteFileAtomic(probe, ""));
  struct stat lock{}, now{};
  if (stat(probe.c_str(), &now) == 0 && stat(path.c_str(), &lock) == 0) seen.age_s = TimeOf(now) - TimeOf(lock);
  unlink(probe.c_str());
  return seen;
}

std::optional<std::string> ProofOfEnd(const LastSeen& seen) {
  const Owner& owner = seen.owner;
  const Owner self = ThisProcess();
  if (owner.host == self.host && owner.boot_id == self.boot_id && owner.pid_namespace == self.pid_namespace) {
    const auto process = ReadProcess(static_cast<pid_t>(owner.pid));
    if (!process || !process->alive() || process->start_ticks != owner.process_start) return "its process has ended";
    return std::nullopt;
  }
  if (owner.host == self.host && owner.boot_id != self.boot_id && seen.age_s > kQuietAfterBoot)
    return "its host has started anew since";
  if (owner.slurm_job_id.empty()) return std::nullopt;
  if (owner.slurm_job_id == self.slurm_job_id && owner.slurm_restart < self.slurm_restart)
    return "Slurm has started its job again, as this process";
  if (owner.slurm_job_id != self.slurm_job_id && IsOver(owner.slurm_job_id)) return "squeue says that its job is over";
  return std::nullopt;
}

}  // namespace srlm::ledger
