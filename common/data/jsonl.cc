#include "common/data/jsonl.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/base/failpoint.h"
#include "common/base/file.h"

namespace srlm::data {
namespace {

/// How files begin that hold rows in another form, with what they are and what to do.
struct OtherForm {
  std::string_view begin;
  std::string_view what;
};
constexpr OtherForm kOtherForms[] = {
    {"\x1f\x8b", "is compressed (gzip); unpack it first: gunzip -k FILE"},
    {"\x28\xb5\x2f\xfd", "is compressed (Zstandard); unpack it first: zstd -d FILE"},
    {"\xfd"
     "7zXZ",
     "is compressed (xz); unpack it first: unxz -k FILE"},
    {"BZh", "is compressed (bzip2); unpack it first: bunzip2 -k FILE"},
    {"PK\x03\x04", "is a ZIP archive; unpack it first: unzip FILE"},
    {"PAR1", "is Parquet; write it as JSON Lines first (pandas: to_json(lines=True, orient='records'))"},
};

}  // namespace

JsonlReader::JsonlReader(std::FILE* file, std::string path, size_t max_line_bytes)
    : file_(file), path_(std::move(path)), max_line_bytes_(max_line_bytes) {}

Result<JsonlReader> JsonlReader::Open(const std::string& path, size_t max_line_bytes) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return FileError("open", path, errno);
  JsonlReader reader(file, path, max_line_bytes);
  struct stat info{};
  if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) return FileError("read", path, EISDIR);
  return reader;
}

/// Fills text_ with the next line, its end taken off; false at the end of the file.
Result<bool> JsonlReader::ReadLine() {
  text_.clear();
  ++line_;
  // A character at a time: fgets would hide what follows a zero byte.
  for (int c = getc_unlocked(file_.get()); c != EOF; c = getc_unlocked(file_.get())) {
    if (c == '\n') {
      if (!text_.empty() && text_.back() == '\r') text_.pop_back();
      return true;
    }
    if (c == '\0') return OtherFormOr("a zero byte; wanted a JSON object");
    if (text_.size() == max_line_bytes_)
      return OtherFormOr(fmt::format("the line is longer than {} bytes; is this JSON Lines?", max_line_bytes_));
    text_ += static_cast<char>(c);
  }
  if (std::ferror(file_.get()) != 0) return FileError("read", path_, errno);
  return !text_.empty();
}

Result<bool> JsonlReader::Next(nlohmann::json& row) {
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, ReadLine());
    if (!more) return false;
    if (text_.find_first_not_of(" \t") != std::string::npos) break;
  }
  if (line_ == 1 && text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);  // a byte order mark
  try {
    row = nlohmann::json::parse(text_);
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at ...: ..."
    const size_t close = reason.find("] ");
    if (close != std::string::npos) reason = reason.substr(close + 2);
    if (reason.size() > 160) reason = reason.substr(0, 160) + "...";
    return OtherFormOr("not valid JSON: " +
                       nlohmann::json(reason).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }
  if (!row.is_object()) return Error(fmt::format("wanted a JSON object, found {}", row.type_name()));
  return true;
}

/// The failure of a line that is no row: when the file's first bytes are those of another form, that is what is wrong.
Status JsonlReader::OtherFormOr(const std::string& message) const {
  for (const auto& [begin, what] : kOtherForms)
    if (line_ == 1 && text_.starts_with(begin)) return InvalidArgument(fmt::format("{}: {}", path_, what));
  return Error(message);
}

std::string JsonlReader::Where() const { return fmt::format("{}:{}", path_, line_); }

Status JsonlReader::Error(const std::string& message) const { return InvalidArgument(Where() + ": " + message); }

struct JsonlWriter::State {
  std::string path;
  std::string beside;  // what Close renames to path; empty when appending
  std::FILE* file = nullptr;
};

JsonlWriter::JsonlWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonlWriter::JsonlWriter(JsonlWriter&&) noexcept = default;
JsonlWriter& JsonlWriter::operator=(JsonlWriter&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

JsonlWriter::~JsonlWriter() {
  if (state_ == nullptr || state_->file == nullptr) return;
  std::fclose(state_->file);
  if (!state_->beside.empty()) unlink(state_->beside.c_str());
}

Result<JsonlWriter> JsonlWriter::Create(const std::string& path) {
  SRLM_RETURN_IF_ERROR(CheckWritable(path));
  auto state = std::make_unique<State>();
  state->path = path;
  // A pipe or a device (/dev/stdout) cannot be replaced by a rename: it is written as it is.
  std::error_code error;
  const bool special = std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
  if (!special) state->beside = fmt::format("{}.tmp.{}", path, getpid());
  state->file = std::fopen((special ? state->path : state->beside).c_str(), "we");
  if (state->file == nullptr) return FileError("create", path, errno);
  return JsonlWriter(std::move(state));
}

Result<JsonlWriter> JsonlWriter::Append(const std::string& path) {
  SRLM_RETURN_IF_ERROR(CheckWritable(path));
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = std::fopen(path.c_str(), "ae");
  if (state->file == nullptr) return FileError("open", path, errno);
  return JsonlWriter(std::move(state));
}

std::string JsonLine(const nlohmann::json& row) {
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status JsonlWriter::Write(const nlohmann::json& row) { return WriteLine(JsonLine(row)); }

Status JsonlWriter::WriteOrdered(const nlohmann::ordered_json& row) {
  return WriteLine(row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

Status JsonlWriter::WriteLine(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), state_->file) != line.size())
    return FileError("write", state_->path, errno);
  if (state_->beside.empty() && std::fflush(state_->file) != 0) return FileError("write", state_->path, errno);
  return OkStatus();
}

Status JsonlWriter::Sync() {
  const bool flushed = std::fflush(state_->file) == 0;
  // Pipes and devices cannot be synced; that is no failure of theirs.
  if (flushed && (fsync(fileno(state_->file)) == 0 || errno == EINVAL || errno == EROFS)) return OkStatus();
  return FileError("write", state_->path, errno);
}

Status JsonlWriter::Close() {
  const Status synced = Sync();
  std::fclose(std::exchange(state_->file, nullptr));
  const std::string beside = std::exchange(state_->beside, "");
  if (!synced.ok()) {
    if (!beside.empty()) unlink(beside.c_str());
    return synced;
  }
  if (beside.empty()) return OkStatus();
  const std::string name = std::filesystem::path(state_->path).filename().string();
  Failpoint("file.before_rename", name);
  if (std::rename(beside.c_str(), state_->path.c_str()) != 0) {
    const int rename_error = errno;
    unlink(beside.c_str());
    return FileError("rename", state_->path, rename_error);
  }
  Failpoint("file.after_rename", name);
  const std::string folder = std::filesystem::path(state_->path).parent_path().string();
  return SyncPath(folder.empty() ? "." : folder);
}

Status WriteJsonl(const std::string& path, const std::vector<nlohmann::ordered_json>& rows) {
  SRLM_ASSIGN_OR_RETURN(JsonlWriter writer, JsonlWriter::Create(path));
  for (const nlohmann::ordered_json& row : rows) SRLM_RETURN_IF_ERROR(writer.Write(row));
  return writer.Close();
}

}  // namespace srlm::data
