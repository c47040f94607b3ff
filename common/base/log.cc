#include "common/base/log.h"

#include <fmt/format.h>
#include <glog/logging.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <mutex>

namespace srlm {
namespace {

/// glog's sink for a file of our own name and format: one plain line an event. Lines that a full disk does not take are
/// lost, and counted when it takes some again.
class FileSink : public google::LogSink {
 public:
  explicit FileSink(const std::string& file) : out_(file, std::ios::app) {}
  void send(google::LogSeverity severity, const char*, const char*, int, const google::LogMessageTime& time,
            const char* message, size_t length) override {
    const std::lock_guard lock(mutex_);
    if (lost_ > 0) {  // the disk was full; what it took of the last line ends here
      out_.clear();
      out_ << "\nlines_lost count=" << lost_ << std::endl;
    }
    if (out_) out_ << ToString(severity, "", 0, time, message, length) << std::endl;
    lost_ = out_ ? 0 : lost_ + 1;
  }

 private:
  std::mutex mutex_;
  std::ofstream out_;
  uint64_t lost_ = 0;  // lines since one could not be written
};

// glog itself is process-wide; this is what we add to each of its lines.
struct LogState {
  std::string common_fields;
  std::unique_ptr<FileSink> sink;
};
LogState& State() {
  static LogState state;
  return state;
}

std::string Line(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) line += " " + field.text;
  return line + State().common_fields;
}

}  // namespace

LogField::LogField(std::string_view key, std::string_view value) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  const bool plain =
      !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos && std::ranges::none_of(value, control);
  text = fmt::format("{}=", key);
  if (plain) {
    text += value;
    return;
  }
  text += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n')
      text += "\\n";
    else if (control(static_cast<unsigned char>(c)))
      text += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else
      text += c;
  }
  text += '"';
}
LogField::LogField(std::string_view key, double number) : text(fmt::format("{}={:.6g}", key, number)) {}
LogField::LogField(std::string_view key, long long number) : text(fmt::format("{}={}", key, number)) {}

void StartLogging(std::string_view program, const std::string& file, std::initializer_list<LogField> fields) {
  static const std::string name(program);  // glog keeps the pointer
  FLAGS_logtostderr = file.empty();
  if (!file.empty()) FLAGS_stderrthreshold = google::GLOG_FATAL;
  google::InitGoogleLogging(name.c_str());
  std::string common;
  for (const LogField& field : fields) common += " " + field.text;
  State().common_fields = std::move(common);
  if (file.empty()) return;
  for (const auto severity : {google::GLOG_INFO, google::GLOG_WARNING, google::GLOG_ERROR}) {
    google::SetLogDestination(severity, "");  // no files of glog's own naming
  }
  State().sink = std::make_unique<FileSink>(file);
  google::AddLogSink(State().sink.get());
}

void LogInfo(std::string_view event, std::initializer_list<LogField> fields) { LOG(INFO) << Line(event, fields); }
void LogWarning(std::string_view event, std::initializer_list<LogField> fields) { LOG(WARNING) << Line(event, fields); }
void LogError(std::string_view event, std::initializer_list<LogField> fields) { LOG(ERROR) << Line(event, fields); }

}  // namespace srlm
