#include "common/base/failpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace srlm {
namespace {

struct Armed {
  std::string name;
  std::string subject;  // empty: any
  uint64_t pass = 0;    // 0: every one
  std::string count_file;
  std::atomic<uint64_t> passes = 0;
};

Armed& State() {
  static Armed armed;
  return armed;
}

std::vector<std::string_view> SubjectsOf(const FailpointEntry& entry) {
  std::vector<std::string_view> subjects;
  std::string_view rest = entry.subjects;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    subjects.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return subjects;
}

/// name[@subject][:pass]; a subject may hold colons.
Status Parse(std::string_view text, Armed& armed) {
  std::string_view rest = text;
  armed.pass = 0;
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && colon + 1 < rest.size() && rest.size() - colon < 12 &&
      rest.find_first_not_of("0123456789", colon + 1) == std::string_view::npos) {
    armed.pass = std::stoull(std::string(rest.substr(colon + 1)));
    if (armed.pass == 0) return InvalidArgument(fmt::format("SRLM_FAILPOINT={}: passes are counted from 1", text));
    rest = rest.substr(0, colon);
  }
  const size_t at = rest.find('@');
  armed.name = rest.substr(0, at);
  armed.subject = at == std::string_view::npos ? "" : rest.substr(at + 1);
  bool known = false;
  for (const FailpointEntry& entry : kFailpoints) {
    if (entry.name != armed.name) continue;
    known = true;
    const auto subjects = SubjectsOf(entry);
    if (armed.subject.empty() || entry.subjects == "*" || std::ranges::find(subjects, armed.subject) != subjects.end())
      return OkStatus();
  }
  return InvalidArgument(
      fmt::format("SRLM_FAILPOINT={}: no {} '{}'; --list-failpoints of srlm, srlm-worker and "
                  "srlm-trainer name them all",
                  text, known ? "subject" : "failpoint", known ? armed.subject : armed.name));
}

/// Which pass this is, over all processes that count in `path`: what is appended lands at a place of its own.
uint64_t CountIn(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  off_t place = -1;
  if (file >= 0 && write(file, ".", 1) == 1) place = lseek(file, 0, SEEK_CUR);
  if (file >= 0) close(file);
  if (place > 0) return static_cast<uint64_t>(place);
  std::fprintf(stderr, "SRLM_FAILPOINT_COUNT=%s: cannot be written; no failpoint is hit\n", path.c_str());
  return 0;
}

}  // namespace

bool internal::failpoints_armed = false;

Status ArmFailpoints() {
  const char* const text = std::getenv("SRLM_FAILPOINT");
  if (text == nullptr || *text == '\0') return OkStatus();
  Armed& armed = State();
  SRLM_RETURN_IF_ERROR(Parse(text, armed));
  if (const char* const file = std::getenv("SRLM_FAILPOINT_COUNT")) armed.count_file = file;
  internal::failpoints_armed = true;
  return OkStatus();
}

std::string ListFailpoints(FailpointProgram program) {
  std::string text;
  for (const FailpointEntry& entry : kFailpoints) {
    if ((entry.programs & program) == 0) continue;
    if (entry.subjects.empty() || entry.subjects == "*") text += fmt::format("{}\n", entry.name);
    if (entry.subjects == "*") continue;
    for (const std::string_view subject : SubjectsOf(entry)) text += fmt::format("{}@{}\n", entry.name, subject);
  }
  return text;
}

void internal::PassFailpoint(std::string_view name, std::string_view subject) {
  Armed& armed = State();
  if (name != armed.name || (!armed.subject.empty() && subject != armed.subject)) return;
  if (armed.pass != 0) {
    const uint64_t pass = armed.count_file.empty() ? ++armed.passes : CountIn(armed.count_file);
    if (pass != armed.pass) return;
  }
  std::fprintf(stderr, "failpoint %.*s%s%.*s: aborting\n", static_cast<int>(name.size()), name.data(),
               subject.empty() ? "" : "@", static_cast<int>(subject.size()), subject.data());
  const rlimit no_core = {0, 0};  // a death on purpose leaves no core file
  setrlimit(RLIMIT_CORE, &no_core);
  std::abort();
}

}  // namespace srlm
