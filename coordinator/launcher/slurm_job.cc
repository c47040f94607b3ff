#include "coordinator/launcher/slurm_job.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <tuple>

#include "common/base/command.h"

namespace srlm::launcher {
namespace {

constexpr double kAnswerSeconds = 30;

/// A whole number at the start of `text`, which is cut off.
template <class Number = int>
std::optional<Number> TakeNumber(std::string_view& text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return number;
}

bool Take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

/// "1-02:03:04" or "3:04" in seconds; none for what is no time.
std::optional<double> ParseSpan(const std::string& text) {
  std::string_view rest = text;
  auto number = TakeNumber(rest);
  if (!number) return std::nullopt;
  double seconds = 0;
  if (Take(rest, "-")) {
    seconds = *number * 24.0;  // hours
    number = TakeNumber(rest);
    if (!number) return std::nullopt;
  }
  seconds += *number;
  while (Take(rest, ":")) {
    number = TakeNumber(rest);
    if (!number || *number > 59) return std::nullopt;
    seconds = seconds * 60 + *number;
  }
  return rest.empty() ? std::optional(seconds) : std::nullopt;
}

/// What a command of Slurm's prints. Unavailable with that when it fails.
Result<std::string> Ask(const std::vector<std::string>& command) {
  SRLM_ASSIGN_OR_RETURN(CommandAnswer answer, RunCommand(command, Deadline::AfterSeconds(kAnswerSeconds)));
  while (answer.output.ends_with('\n')) answer.output.pop_back();
  if (answer.exit_code == 0) return answer.output;
  return Unavailable(fmt::format("{}: exit {}: {}", fmt::join(command, " "), answer.exit_code, answer.output));
}

Result<std::vector<std::string>> HostNames(const std::string& list) {
  SRLM_ASSIGN_OR_RETURN(const std::string text, Ask({"scontrol", "show", "hostnames", list}));
  std::istringstream lines(text);
  std::vector<std::string> names;
  for (std::string name; lines >> name;) names.push_back(name);
  if (names.empty()) return InvalidArgument("scontrol names no node in SLURM_JOB_NODELIST " + list);
  return names;
}

Status CheckFits(const SlurmJob& job, int ranks, int threads, const std::string& who) {
  threads = std::max(1, threads);
  int room = 0;
  for (const int cpus : job.cpus) room += cpus / threads;
  if (ranks <= room) return OkStatus();
  return FailedPrecondition(
      fmt::format("Slurm job {} is too small: {} need {} CPUs each, and its {} node(s) have {} CPUs; submit it with "
                  "more --nodes or "
                  "--cpus-per-task (or --exclusive, for whole nodes), or lower that",
                  job.id, who, threads, job.nodes.size(), fmt::join(job.cpus, ", ")));
}

}  // namespace

Result<SlurmJob> ThisSlurmJob() {
  return ThisSlurmJob([](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

Result<SlurmJob> ThisSlurmJob(const GetVariable& variable) {
  const auto id = variable("SLURM_JOB_ID"), list = variable("SLURM_JOB_NODELIST");
  if (!id || !list)
    return FailedPrecondition(
        "launcher.kind: slurm starts steps of the Slurm job that it runs in, and this is none (no SLURM_JOB_ID): "
        "submit "
        "it with `sbatch deploy/slurm/srlm.sbatch CONFIG`");
  SlurmJob job{
      .id = *id, .restarts = std::atoi(variable("SLURM_RESTART_COUNT").value_or("0").c_str()), .nodes = {}, .cpus = {}};
  SRLM_ASSIGN_OR_RETURN(job.nodes, HostNames(*list));
  SRLM_ASSIGN_OR_RETURN(job.cpus, ParseCpus(variable("SLURM_JOB_CPUS_PER_NODE").value_or("1")));
  job.cpus.resize(job.nodes.size(), job.cpus.back());
  return job;
}

Result<std::vector<int>> ParseCpus(const std::string& text) {
  std::vector<int> cpus;
  std::string_view rest = text;
  do {
    const auto count = TakeNumber(rest);
    int times = 1;
    if (count && Take(rest, "(x")) {
      times = TakeNumber(rest).value_or(0);
      if (!Take(rest, ")")) times = 0;
    }
    if (!count || *count < 1 || times < 1)
      return InvalidArgument(fmt::format("SLURM_JOB_CPUS_PER_NODE \"{}\": wanted numbers like 2(x3),4", text));
    cpus.insert(cpus.end(), static_cast<size_t>(times), *count);
  } while (Take(rest, ","));
  if (!rest.empty()) return InvalidArgument(fmt::format("SLURM_JOB_CPUS_PER_NODE \"{}\": has a rest", text));
  return cpus;
}

std::optional<double> ParseTimeLeft(const std::string& text, int64_t now_ms) {
  const size_t space = text.find(' ');
  const auto left_s = ParseSpan(text.substr(0, space));
  std::string_view rest = space == std::string::npos ? std::string_view() : std::string_view(text).substr(space + 1);
  const auto end_s = TakeNumber<int64_t>(rest);
  if (!left_s || !end_s || !rest.empty()) return left_s;
  return std::min(*left_s, std::max(0.0, static_cast<double>(*end_s) - 1e-3 * static_cast<double>(now_ms)));
}

Status CheckFits(const SlurmJob& job, const config::RunConfig& config) {
  const auto& [workers, trainer] = std::tie(config.workers, config.trainer);
  SRLM_RETURN_IF_ERROR(CheckFits(
      job, workers.replicas * workers.tensor_parallel, workers.threads,
      fmt::format("workers.replicas: {}, workers.tensor_parallel: {}", workers.replicas, workers.tensor_parallel)));
  return CheckFits(job, trainer.ranks, trainer.threads, fmt::format("trainer.ranks: {}", trainer.ranks));
}

Status Requeue(const SlurmJob& job) {
  const std::string what =
      fmt::format("Slurm job {} could not be put back into the queue; submit it again to go on", job.id);
  const auto state = Ask({"squeue", "--noheader", "--states=all", "--format=%T", "--jobs=" + job.id});
  if (!state.ok()) return state.status().WithContext(what);
  if (*state != "RUNNING")
    return FailedPrecondition(fmt::format(
        "Slurm job {} is left as it is ({}); unless squeue shows it again, submit it again to go on", job.id, *state));
  return Ask({"scontrol", "requeue", job.id}).status().WithContext(what);
}

}  // namespace srlm::launcher
