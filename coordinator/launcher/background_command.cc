#include "coordinator/launcher/background_command.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/file.h"
#include "coordinator/launcher/environment.h"

namespace srlm::launcher {
namespace {

std::string Content(int file) {
  std::string content;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = pread(file, buffer, sizeof buffer, static_cast<off_t>(content.size()))) > 0)
    content.append(buffer, static_cast<size_t>(count));
  while (!content.empty() && (content.back() == '\n' || content.back() == ' ')) content.pop_back();
  return content;
}

}  // namespace

Result<BackgroundCommand> BackgroundCommand::Start(const std::vector<std::string>& command, Deadline deadline) {
  const std::string& name = command.at(0);
  const int output = memfd_create(name.c_str(), MFD_CLOEXEC);
  if (output < 0) return FileError("make memory for the output", name, errno);
  auto process = ProcessGroup::Start(
      {.command = command, .environment = CleanEnvironment(), .output = fmt::format("/proc/self/fd/{}", output)});
  if (!process.ok()) {
    close(output);
    return process.status();
  }
  return BackgroundCommand(name, std::move(*process), output, deadline);
}

BackgroundCommand::BackgroundCommand(BackgroundCommand&& other) noexcept
    : name_(std::move(other.name_)),
      process_(std::move(other.process_)),
      output_(std::exchange(other.output_, -1)),
      deadline_(other.deadline_) {}

BackgroundCommand& BackgroundCommand::operator=(BackgroundCommand&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(process_, other.process_);
  std::swap(output_, other.output_);
  std::swap(deadline_, other.deadline_);
  return *this;
}

BackgroundCommand::~BackgroundCommand() {
  if (output_ >= 0) close(output_);
}

Result<std::string> BackgroundCommand::Ended(const ExitState& exit) const {
  const std::string content = Content(output_);
  if (exit.ok()) return content;
  return Unavailable(fmt::format("{}: {}: {}", name_, ExplainExit(exit), content));
}

std::optional<Result<std::string>> BackgroundCommand::Poll() {
  if (const auto exit = process_.Poll()) return Ended(*exit);
  if (!deadline_.Expired()) return std::nullopt;
  process_.Kill();
  return Result<std::string>(DeadlineExceeded(name_ + ": no answer in time"));
}

}  // namespace srlm::launcher
