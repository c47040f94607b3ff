#include "worker/engine/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "common/base/hash.h"
#include "common/base/manifest.h"
#include "common/base/process.h"
#include "common/base/version.h"
#include "common/model/model_config.h"
#include "worker/engine/arithmetic.h"

namespace srlm::worker {
namespace {

constexpr size_t kFirstWords = 2048;   // of a message, which go in one broadcast with its length
constexpr size_t kIdBytes = 64;        // of what ranks compare
constexpr size_t kReasonBytes = 1024;  // of why one cannot load

enum Command : int32_t { kLoad, kStep, kUnload, kEnd };

/// Words of a message, one after the other.
class MessageWriter {
 public:
  explicit MessageWriter(Command command) : words_{command} {}
  void Add(int64_t value) { words_.push_back(static_cast<int32_t>(value)); }
  void Add(const std::vector<int>& values) {
    Add(static_cast<int64_t>(values.size()));
    words_.insert(words_.end(), values.begin(), values.end());
  }
  void Add(std::string_view text) {
    Add(static_cast<int64_t>(text.size()));
    for (const char byte : text) words_.push_back(byte);
  }
  const std::vector<int32_t>& words() const { return words_; }

 private:
  std::vector<int32_t> words_;
};

/// The same, read again: both ends are one program (CheckSameProgram).
class MessageReader {
 public:
  explicit MessageReader(const std::vector<int32_t>& words) : words_(words) {}
  int Next() { return words_.at(at_++); }
  std::vector<int> List() {
    const auto count = static_cast<size_t>(Next());
    std::vector<int> values(count);
    for (int& value : values) value = Next();
    return values;
  }
  std::string Text() {
    const std::vector<int> bytes = List();
    return {bytes.begin(), bytes.end()};
  }

 private:
  const std::vector<int32_t>& words_;
  size_t at_ = 1;  // after the command
};

/// A copy of a page, which the others make before the next step.
struct PageCopy {
  int from = 0;
  int to = 0;
  int tokens = 0;
};

/// All of a step but what is done with its logits, which stay with the first rank.
std::vector<int32_t> WriteStep(const std::vector<PageCopy>& copies, const StepBatch& batch) {
  MessageWriter out(kStep);
  out.Add(static_cast<int64_t>(copies.size()));
  for (const PageCopy& copy : copies) {
    for (const int value : {copy.from, copy.to, copy.tokens}) out.Add(value);
  }
  out.Add(batch.tokens);
  out.Add(static_cast<int64_t>(batch.spans.size()));
  for (const SequenceSpan& span : batch.spans) {
    for (const int value : {span.row, span.rows, span.position}) out.Add(value);
    out.Add(*span.pages);
  }
  out.Add(batch.logit_rows);
  return out.words();
}

/// A step as another rank runs it; its page tables are here.
struct FollowedStep {
  StepBatch batch;
  std::vector<std::vector<int>> pages;
};

void ReadStep(MessageReader& in, ModelRunner& runner, FollowedStep& step) {
  for (int copies = in.Next(); copies > 0; --copies) {
    const int from = in.Next(), to = in.Next(), tokens = in.Next();
    runner.CopyPage(from, to, tokens);
  }
  step.batch.tokens = in.List();
  step.batch.spans.resize(static_cast<size_t>(in.Next()));
  step.pages.resize(step.batch.spans.size());
  for (size_t i = 0; i < step.pages.size(); ++i) {
    SequenceSpan& span = step.batch.spans[i];
    span.row = in.Next();
    span.rows = in.Next();
    span.position = in.Next();
    step.pages[i] = in.List();
    span.pages = &step.pages[i];
  }
  step.batch.logit_rows = in.List();
}

/// What tells a folder's content without reading all of it: its manifest's id, or its configuration and the sizes of
/// its weights.
Result<std::string> QuickIdentity(const std::string& folder) {
  namespace fs = std::filesystem;
  if (fs::exists(folder + "/" + kManifestFile)) {
    SRLM_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(folder));
    return manifest.ModelId();
  }
  SRLM_ASSIGN_OR_RETURN(std::string text, Sha256File(folder + "/config.json"));
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".safetensors") continue;
    files.push_back(fmt::format("{} {}", entry->path().filename().string(), entry->file_size(error)));
  }
  if (error) return DataLoss(fmt::format("{}: {}", folder, error.message()));
  std::ranges::sort(files);
  for (const std::string& file : files) text += "\n" + file;
  return Sha256(text);
}

parallel::Buffer BytesOf(std::span<int32_t> words) {
  return parallel::BufferOf(std::span(reinterpret_cast<char*>(words.data()), words.size_bytes()));
}

/// Every rank's text, cut to so many bytes, in rank order.
Result<std::vector<std::string>> GatherTexts(parallel::Communicator& group, const std::string& mine, size_t bytes,
                                             std::string_view name) {
  std::string send = mine;
  send.resize(bytes);
  std::string receive(bytes * static_cast<size_t>(group.size()), '\0');
  SRLM_RETURN_IF_ERROR(
      group.AllGather(parallel::BufferOf(std::span<char>(send)), parallel::BufferOf(std::span<char>(receive)), name));
  std::vector<std::string> texts;
  for (size_t at = 0; at < receive.size(); at += bytes) {
    const std::string text = receive.substr(at, bytes);
    texts.push_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

/// This rank's part of loading, which all ranks end together: with a share each, or with none.
Result<std::unique_ptr<ModelRunner>> LoadShare(parallel::Communicator& group, const LoadOrder& order,
                                               const std::string& identity, const RunnerOptions& options,
                                               const std::function<Status()>& check,
                                               const std::function<void()>& progress, bool& together) {
  const auto load = [&]() -> Result<std::unique_ptr<ModelRunner>> {
    const parallel::AloneWork alone(group, "loading " + order.folder);  // as long as it takes
    SRLM_ASSIGN_OR_RETURN(const std::string mine, QuickIdentity(order.folder));
    if (mine != identity) {
      return FailedPrecondition(
          fmt::format("{} has other files on {} than on the replica's first rank: every rank must "
                      "see the same folder",
                      order.folder, HostName()));
    }
    SRLM_RETURN_IF_ERROR(check());
    SRLM_ASSIGN_OR_RETURN(const model::ModelConfig config, model::ReadModelConfig(order.folder));
    return MakeRunner(order.folder, config, options, progress);
  };
  auto runner = load();
  const parallel::Agreement agreed = parallel::Agree(group, runner.status(), "loading the model");
  together = agreed.together;
  if (agreed.status.ok()) return runner;
  if (!together) return agreed.status;
  // Who asked for the model hears the reason itself, whichever rank has it.
  const auto reasons = GatherTexts(group, runner.status().message(), kReasonBytes, "why the model is not loaded");
  together = reasons.ok();
  if (!reasons.ok()) return reasons.status();
  const auto first = std::ranges::find_if(*reasons, [](const std::string& reason) { return !reason.empty(); });
  return Status(runner.ok() ? agreed.status.code() : runner.status().code(),
                fmt::format("rank {}: {}", first - reasons->begin(), *first));
}

}  // namespace

/// The first rank's runner: tells the others, then does its own part.
class GroupRunner : public ModelRunner {
 public:
  GroupRunner(GroupLeader& leader, std::unique_ptr<ModelRunner> own) : leader_(leader), own_(std::move(own)) {}
  ~GroupRunner() override { leader_.Unload(); }

  Status Run(const StepBatch& batch, StepOutput& out) override {
    return leader_.Together([&] {
      SRLM_RETURN_IF_ERROR(leader_.Send(WriteStep(std::exchange(copies_, {}), batch)));
      return own_->Run(batch, out);
    });
  }
  void CopyPage(int from, int to, int tokens) override {
    copies_.push_back({from, to, tokens});
    own_->CopyPage(from, to, tokens);
  }
  int pages() const override { return own_->pages(); }
  int page_tokens() const override { return own_->page_tokens(); }
  int vocabulary_size() const override { return own_->vocabulary_size(); }
  int context_tokens() const override { return own_->context_tokens(); }

 private:
  GroupLeader& leader_;
  std::unique_ptr<ModelRunner> own_;
  std::vector<PageCopy> copies_;
};

GroupLeader::GroupLeader(parallel::Communicator& group) : group_(group) { between_.emplace(group_, "work to come"); }

GroupLeader::~GroupLeader() {
  if (!failed_) (void)Together([this] { return Send(MessageWriter(kEnd).words()); });
}

Status GroupLeader::Together(const std::function<Status()>& work) {
  between_.reset();
  const Status status = work();
  failed_ |= !status.ok();
  between_.emplace(group_, "work to come");
  return status;
}

void GroupLeader::Unload() {
  if (!failed_) (void)Together([this] { return Send(MessageWriter(kUnload).words()); });
}

Status GroupLeader::Send(const std::vector<int32_t>& message) {
  std::array<int32_t, kFirstWords + 1> first = {static_cast<int32_t>(message.size())};
  const size_t begun = std::min(message.size(), kFirstWords);
  std::copy_n(message.begin(), begun, first.begin() + 1);
  SRLM_RETURN_IF_ERROR(group_.Broadcast(BytesOf(first), 0, "what to do"));
  if (begun == message.size()) return OkStatus();
  std::vector<int32_t> rest(message.begin() + static_cast<int64_t>(begun), message.end());
  return group_.Broadcast(BytesOf(rest), 0, "the rest of it");
}

Result<std::unique_ptr<ModelRunner>> GroupLeader::Load(const LoadOrder& order, RunnerOptions options,
                                                       const std::function<void()>& progress) {
  options.group = &group_;
  SRLM_ASSIGN_OR_RETURN(const std::string identity, QuickIdentity(order.folder));
  MessageWriter message(kLoad);
  for (const std::string_view text : {order.folder, order.model_id, identity}) message.Add(text);
  message.Add(order.pages);
  message.Add(order.page_tokens);
  bool together = false;
  std::unique_ptr<ModelRunner> own;
  Status status;
  const Status apart = Together([&]() -> Status {
    SRLM_RETURN_IF_ERROR(Send(message.words()));
    auto loaded = LoadShare(group_, order, identity, options, [] { return OkStatus(); }, progress, together);
    if (loaded.ok()) own = std::move(loaded).value();
    status = loaded.status();
    return together ? OkStatus() : status;
  });
  SRLM_RETURN_IF_ERROR(apart);
  SRLM_RETURN_IF_ERROR(status);
  return std::unique_ptr<ModelRunner>(std::make_unique<GroupRunner>(*this, std::move(own)));
}

Status FollowLeader(parallel::Communicator& group, const ComputeOptions& compute,
                    const std::function<Status(const std::string&, const std::string&)>& check) {
  std::unique_ptr<ModelRunner> runner;
  StepOutput out;
  FollowedStep step;
  while (true) {
    std::array<int32_t, kFirstWords + 1> first = {};
    SRLM_RETURN_IF_ERROR(group.Broadcast(BytesOf(first), 0, "what to do"));
    std::vector<int32_t> words(static_cast<size_t>(first[0]));
    const size_t begun = std::min(words.size(), kFirstWords);
    std::copy_n(first.begin() + 1, begun, words.begin());
    if (begun < words.size()) {
      SRLM_RETURN_IF_ERROR(group.Broadcast(BytesOf(std::span(words).subspan(begun)), 0, "the rest of it"));
    }
    MessageReader in(words);
    switch (static_cast<Command>(words.at(0))) {
      case kEnd: return OkStatus();
      case kUnload: runner.reset(); break;
      case kLoad: {
        LoadOrder order;
        order.folder = in.Text();
        order.model_id = in.Text();
        const std::string identity = in.Text();
        RunnerOptions options;
        options.compute = compute;
        options.pages = in.Next();
        options.page_tokens = in.Next();
        options.group = &group;
        bool together = false;
        auto loaded = LoadShare(
            group, order, identity, options,
            [&] { return order.model_id.empty() ? OkStatus() : check(order.folder, order.model_id); }, [] {}, together);
        if (!together) return loaded.status();
        if (loaded.ok()) runner = std::move(loaded).value();
        break;
      }
      case kStep:
        ReadStep(in, *runner, step);
        SRLM_RETURN_IF_ERROR(runner->Run(step.batch, out));
        break;
    }
  }
}

Status CheckSameProgram(parallel::Communicator& group) {
  SRLM_ASSIGN_OR_RETURN(const auto versions, GatherTexts(group, kVersion, kIdBytes, "version"));
  const auto other = std::ranges::find_if(versions, [&](const std::string& each) { return each != versions.front(); });
  if (other == versions.end()) return OkStatus();
  return FailedPrecondition(fmt::format("rank {} runs srlm {}, rank 0 runs {}: install one version on all hosts",
                                        other - versions.begin(), *other, versions.front()));
}

Result<std::string> GroupArithmeticId(parallel::Communicator& group, const ComputeOptions& compute) {
  const std::string own = compute.device == nullptr ? ArithmeticId(SelectKernels()) : DeviceArithmeticId(compute);
  if (group.size() == 1) return own;
  SRLM_ASSIGN_OR_RETURN(const auto ids, GatherTexts(group, own, kIdBytes, "arithmetic"));
  std::string all;
  for (const std::string& id : ids) all += id;
  return Sha256(all).substr(0, own.size());
}

}  // namespace srlm::worker
