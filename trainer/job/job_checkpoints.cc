#include "trainer/job/job_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/log.h"
#include "trainer/job/identity.h"

namespace srlm::trainer {
namespace {

constexpr std::array<const char*, 3> kValues = {"weights", "first_moment", "second_moment"};
constexpr char kReference[] = "reference";
constexpr size_t kHashDigits = 64;

Status OfAnotherJob(const std::string& path, const std::string& difference) {
  return FailedPrecondition(
      fmt::format("{}: a checkpoint of another job: {}. Give --checkpoint-folder another folder, delete this one, or "
                  "begin anew and replace its checkpoints with --resume false",
                  path, difference));
}

}  // namespace

JobCheckpoints::JobCheckpoints(const TrainerOptions& options, parallel::Communicator& communicator, Network& network,
                               AdamW& optimizer, Trainer& trainer)
    : options_(options),
      communicator_(communicator),
      folder_(CheckpointFolderOf(options), options.keep_checkpoints),
      network_(network),
      optimizer_(optimizer),
      trainer_(trainer) {
  if (!options.resume) folder_.ForgetOthers();
}

Status JobCheckpoints::TogetherAt(const Status& mine, const char* what) {
  return parallel::Agree(communicator_, mine, what).status;
}

Result<std::string> JobCheckpoints::FromRank0(std::string text, const char* what) {
  std::vector<int64_t> length = {static_cast<int64_t>(text.size())};
  SRLM_RETURN_IF_ERROR(communicator_.Broadcast(parallel::BufferOf(std::span(length)), 0, what));
  text.resize(static_cast<size_t>(length[0]));
  SRLM_RETURN_IF_ERROR(communicator_.Broadcast(parallel::BufferOf(std::span<char>(text)), 0, what));
  return text;
}

/// Every rank reads its share of the files. What is wrong is said by the lowest rank that found something.
Status JobCheckpoints::VerifyTogether(const std::string& path) {
  constexpr size_t kText = 1024;
  const auto ranks = static_cast<size_t>(communicator_.size());
  std::string mine;
  {
    const parallel::AloneWork alone(communicator_, "reading a checkpoint");
    const Status status = checkpoint::Verify(path, communicator_.rank(), communicator_.size());
    if (!status.ok()) mine = status.message().substr(0, kText);
  }
  mine.resize(kText, '\0');
  std::vector<char> all(kText * ranks);
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(parallel::BufferOf(std::span<char>(mine)),
                                               parallel::BufferOf(std::span(all)), "verifying a checkpoint"));
  for (size_t rank = 0; rank < ranks; ++rank) {
    const std::string_view text(all.data() + rank * kText, kText);
    if (text[0] != '\0') return DataLoss(std::string(text.substr(0, text.find('\0'))));
  }
  return OkStatus();
}

/// Into path_, empty when there is none. Rank 0 goes through the folder; the others verify what it names.
Status JobCheckpoints::FindNewest() {
  constexpr char kName[] = "the next checkpoint";
  Status found;
  if (leads()) {
    Status asking;  // a failure of the communicator
    auto newest = folder_.FindNewest([&](const std::string& path) {
      if (asking.ok()) asking = FromRank0(path, kName).status();
      return asking.ok() ? VerifyTogether(path) : asking;
    });
    SRLM_RETURN_IF_ERROR(asking);
    SRLM_RETURN_IF_ERROR(FromRank0("", kName).status());
    found = newest.status();
    if (newest.ok()) {
      path_ = std::move(newest->path);
      refused_ = std::move(newest->refused);
    }
  } else {
    while (true) {
      SRLM_ASSIGN_OR_RETURN(const std::string path, FromRank0("", kName));
      if (path.empty()) break;
      const Status whole = VerifyTogether(path);
      if (!whole.ok() && whole.code() != Code::kDataLoss) return whole;
    }
  }
  SRLM_RETURN_IF_ERROR(TogetherAt(found, "looking for a checkpoint"));
  for (const std::string& reason : refused_) LogWarning("checkpoint_refused", {{"reason", reason}});
  SRLM_ASSIGN_OR_RETURN(path_, FromRank0(path_, "the newest checkpoint"));
  return OkStatus();
}

Status JobCheckpoints::CheckJob(const checkpoint::TrainingState& stored, const checkpoint::TrainingState& state) const {
  const std::string difference = DifferenceTo(stored.identity, state.identity, options_);
  return difference.empty() ? OkStatus() : OfAnotherJob(path_, difference);
}

Status JobCheckpoints::ReadValues(const checkpoint::TrainingState& stored) {
  const parallel::AloneWork alone(communicator_, "reading a checkpoint");
  const model::ParameterTable& table = network_.parameters().table();
  const ShardLayout layout = {stored.shards, stored.shard_multiple};
  for (const char* values : kValues) {
    SRLM_ASSIGN_OR_RETURN(const ShardReader reader, ShardReader::Open(path_, values, layout, table));
    for (const OwnedStretch& owned : network_.parameters().Owned()) {
      at::Tensor into = owned.weights;
      if (values == kValues[1]) into = optimizer_.first_moment(owned.begin, owned.count());
      if (values == kValues[2]) into = optimizer_.second_moment(owned.begin, owned.count());
      Fill(into, [&](std::span<float> out) { reader.Read(owned.begin, out); });
    }
  }
  std::vector<double> reference = trainer_.reference_values();
  if (reference.empty()) return OkStatus();
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(reference));
  SRLM_ASSIGN_OR_RETURN(const checkpoint::PartFile file,
                        checkpoint::PartFile::Open(path_, std::string(kReference) + ".f64", bytes.size()));
  file.Read(0, bytes);
  trainer_.set_reference_values(reference);
  return OkStatus();
}

Status JobCheckpoints::Load(checkpoint::TrainingState& state) {
  SRLM_RETURN_IF_ERROR(FindNewest());
  if (path_.empty()) return OkStatus();
  auto stored = checkpoint::ReadState(path_);
  Status read = stored.status();
  if (read.ok() && leads()) read = CheckJob(*stored, state);  // rank 0 alone knows the model's id
  SRLM_RETURN_IF_ERROR(TogetherAt(read, "reading a checkpoint"));
  SRLM_RETURN_IF_ERROR(TogetherAt(ReadValues(*stored), "reading a checkpoint's values"));
  SRLM_RETURN_IF_ERROR(network_.parameters().PublishWeights());
  written_by_ = stored->shards;
  const std::string ranks = state.identity.settings[kRanks], threads = state.identity.settings[kThreads];
  state = std::move(stored).value();
  if (state.identity.settings[kRanks] != ranks) {
    state.identity.settings[kRanks] = ranks;
    state.identity.settings[kThreads] = threads;
  }
  optimizer_.set_steps(state.step);
  return OkStatus();
}

Result<std::vector<checkpoint::FileEntry>> JobCheckpoints::WriteMine(int64_t step) {
  Parameters& parameters = network_.parameters();
  const std::vector<OwnedStretch> pieces = parameters.Pieces();
  std::vector<checkpoint::Part> parts;
  std::vector<at::Tensor> on_host;  // what the parts are views of
  for (const char* values : kValues) {
    checkpoint::Part part = {ShardName(values, communicator_.rank(), communicator_.size()) + ".f32", {}};
    for (size_t i = 0; i < pieces.size(); ++i) {
      const model::ParameterUnit& unit = parameters.table().units[i];
      const int64_t count = std::clamp<int64_t>(unit.begin + unit.elements - pieces[i].begin, 0, pieces[i].count());
      if (count == 0) continue;
      at::Tensor stretch = pieces[i].weights.narrow(0, 0, count);
      if (values == kValues[1]) stretch = optimizer_.first_moment(pieces[i].begin, count);
      if (values == kValues[2]) stretch = optimizer_.second_moment(pieces[i].begin, count);
      part.stretches.push_back(std::as_bytes(SpanOf(on_host.emplace_back(stretch.cpu()))));
    }
    parts.push_back(std::move(part));
  }
  const std::vector<double> reference = trainer_.reference_values();
  if (leads() && !reference.empty()) parts.push_back(checkpoint::PartOf(kReference, reference));
  return checkpoint::WriteParts(folder_.Beside(step), parts);
}

/// Rank 0's files first; every rank has one of each kind.
Result<std::vector<checkpoint::FileEntry>> JobCheckpoints::EntriesOfAll(
    const std::vector<checkpoint::FileEntry>& mine) {
  const auto ranks = static_cast<size_t>(communicator_.size());
  std::string hashes;
  std::vector<int64_t> bytes, all_bytes(kValues.size() * ranks);
  for (size_t i = 0; i < kValues.size(); ++i) {
    hashes += mine[i].sha256;
    bytes.push_back(static_cast<int64_t>(mine[i].bytes));
  }
  std::vector<char> all_hashes(hashes.size() * ranks);
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(parallel::BufferOf(std::span<char>(hashes)),
                                               parallel::BufferOf(std::span(all_hashes)), "a checkpoint's files"));
  SRLM_RETURN_IF_ERROR(communicator_.AllGather(parallel::BufferOf(std::span(bytes)),
                                               parallel::BufferOf(std::span(all_bytes)), "a checkpoint's sizes"));
  std::vector<checkpoint::FileEntry> entries = mine;
  for (size_t i = kValues.size(); i < all_bytes.size(); ++i) {
    const auto rank = static_cast<int64_t>(i / kValues.size());
    entries.push_back({ShardName(kValues[i % kValues.size()], rank, communicator_.size()) + ".f32",
                       static_cast<size_t>(all_bytes[i]),
                       std::string(all_hashes.data() + i * kHashDigits, kHashDigits)});
  }
  return entries;
}

Status JobCheckpoints::Save(const checkpoint::TrainingState& state) {
  SRLM_RETURN_IF_ERROR(TogetherAt(leads() ? folder_.Begin(state.step) : OkStatus(), "beginning a checkpoint"));
  Result<std::vector<checkpoint::FileEntry>> mine = std::vector<checkpoint::FileEntry>();
  {
    const parallel::AloneWork alone(communicator_, "writing a checkpoint");
    mine = WriteMine(state.step);
  }
  if (Status written = TogetherAt(mine.status(), "writing a checkpoint"); !written.ok()) {
    if (leads()) folder_.Abandon(state.step);
    return written;
  }
  SRLM_ASSIGN_OR_RETURN(std::vector<checkpoint::FileEntry> files, EntriesOfAll(*mine));
  Status finished;
  if (leads()) {
    const parallel::AloneWork alone(communicator_, "finishing a checkpoint");
    checkpoint::TrainingState whole = state;
    whole.shards = communicator_.size();
    whole.shard_multiple = kPieceMultiple;
    auto path = folder_.Finish(whole, std::move(files));
    finished = path.status();
    if (path.ok()) path_ = std::move(path).value();
  }
  SRLM_RETURN_IF_ERROR(TogetherAt(finished, "finishing a checkpoint"));
  if (leads()) LogInfo("checkpoint", {{"step", state.step}, {"folder", path_}});
  return OkStatus();
}

}  // namespace srlm::trainer
