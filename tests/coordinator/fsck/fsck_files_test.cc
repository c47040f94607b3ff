// Damage to a run's files, what was left behind, and runs in other states than done.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/file.h"
#include "common/checkpoint/checkpoint.h"
#include "coordinator/launcher/session.h"
#include "coordinator/ledger/database.h"
#include "coordinator/ledger/ledger.h"
#include "tests/coordinator/fsck/damaged_run.h"

namespace srlm::fsck {
namespace {

namespace fs = std::filesystem;

class FsckFilesTest : public DamagedRunTest {
 protected:
  static void FlipByte(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-1, std::ios::end);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(-1, std::ios::end);
    file.put(byte);
    ASSERT_TRUE(file.good());
  }
};

TEST_F(FsckFilesTest, ModelsAreThoseThatTheLedgerNames) {
  const std::string flipped = Copy();
  FlipByte(flipped + "/models/M2/model.safetensors");
  ExpectOnly(flipped, "models", "models/M2", "M2");
  const std::string gone = Copy();
  fs::remove_all(gone + "/models/M1");
  ExpectOnly(gone, "models", "models/M1", "M1");
  const std::string more = Copy();
  fs::create_directory(more + "/models/M3");
  ExpectOnly(more, "models", "models/M3", "no model of this name");
}

TEST_F(FsckFilesTest, WhatAJobWasMadeFromStays) {
  const std::string copy = Copy();
  FlipByte(copy + "/jobs/dpo-1/data.jsonl");
  ExpectOnly(copy, "jobs", "data.jsonl", "SHA-256");
}

TEST_F(FsckFilesTest, CheckpointsAreWhole) {
  const std::string copy = Copy();
  const std::vector<float> weights = {1, 2, 3};
  const checkpoint::Part part = checkpoint::PartOf("weights", weights);
  checkpoint::CheckpointFolder folder(copy + "/jobs/dpo-1/checkpoints", 2);
  const auto path = folder.Save({.identity = {}, .step = 3}, {&part, 1});
  ASSERT_TRUE(path.ok()) << path.status().message();
  EXPECT_EQ(Check(copy).found(), 0);
  FlipByte(*path + "/weights.f32");
  ExpectOnly(copy, "jobs", "step-", "weights.f32");
}

TEST_F(FsckFilesTest, NothingUnfinishedIsLeft) {
  for (const char* name : {"config.yaml.tmp.17", "jobs/dpo-1/job.json.tmp.17", "owner.lock.now.host.17"}) {
    const std::string copy = Copy();
    ASSERT_TRUE(WriteFileAtomic(copy + "/" + name, "").ok());
    ExpectOnly(copy, "unfinished files", name, "ended");
  }
  const std::string saved = Copy();
  ASSERT_TRUE(MakeFolders(saved + "/logs/srlm-worker").ok());
  ASSERT_TRUE(WriteFileAtomic(saved + "/logs/srlm-worker/unacknowledged-a-1.jsonl", "").ok());
  ExpectOnly(saved, "unfinished files", "unacknowledged-a-1", "done without them");
  const std::string folder = Copy() + "/jobs/dpo-1/checkpoints/.tmp-step-00000001";
  ASSERT_TRUE(MakeFolders(folder).ok());
  ExpectOnly(fs::path(folder).parent_path().parent_path().parent_path().parent_path(), "unfinished files", ".tmp-",
             "ended");
}

TEST_F(FsckFilesTest, KeysAreForTheirOwnerAlone) {
  const std::string file = Copy();
  ASSERT_EQ(chmod((file + "/secrets/work/client.key").c_str(), 0640), 0);
  ExpectOnly(file, "secrets", "work/client.key", "0640");
  const std::string folder = Copy();
  ASSERT_EQ(chmod((folder + "/secrets/read").c_str(), 0750), 0);
  ExpectOnly(folder, "secrets", "secrets/read", "0750");
}

TEST_F(FsckFilesTest, AProcessOfTheRunIsFound) {
  const auto ledger = ledger::Ledger::OpenReadOnly(good());
  const std::string run_id = *(*ledger)->Fact("run_id");
  const std::string variable = std::string(launcher::kLaunchVariable) + "=" + run_id + "/worker-9";
  int ready[2];
  ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);  // closed by exec: then the environment is the new one
  const pid_t child = fork();
  if (child == 0) {
    execl("/usr/bin/env", "env", variable.c_str(), "sleep", "60", nullptr);
    _exit(127);
  }
  close(ready[1]);
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 0);
  close(ready[0]);
  while (!ReadVariable(child, launcher::kLaunchVariable)) ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0);
  ExpectOnly(good(), "processes", std::to_string(child), "worker-9");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(Check(good()).found(), 0);
}

// As in a process of its own: this one's locks are no obstacle to itself.
TEST_F(FsckFilesTest, ARunThatIsWorkedOnIsCheckedAsFarAsThatIsSafe) {
  const std::string copy = Copy();
  int ready[2], go[2];
  ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto owner = ledger::Ledger::Open(copy);
    char byte = owner.ok() ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    close(go[1]);
    _exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  FlipByte(copy + "/models/M1/model.safetensors");
  const Report report = Check(copy);
  EXPECT_EQ(report.state, "running");
  EXPECT_TRUE(report.digest.all.empty());
  EXPECT_NE(report.checks().front().not_checked, "");
  close(go[1]);
  waitpid(child, nullptr, 0);
  for (const int fd : {ready[0], ready[1], go[0]}) close(fd);
  EXPECT_EQ(Check(copy).state, "done");
}

// A coordinator that is killed within a transaction leaves a journal with which the ledger's pages are to be put back.
TEST_F(FsckFilesTest, AnUnfinishedCommitIsLeftAsItIs) {
  const std::string copy = Copy();
  const std::string digest = Check(copy).digest.all;
  const pid_t child = fork();
  if (child == 0) {
    const auto ledger = ledger::Ledger::Open(copy);
    (void)(*ledger)->database().Execute("PRAGMA cache_size = 1");  // so that pages reach the file before the commit
    for (int i = 0; i < 200; ++i)
      (void)(*ledger)->AddEvent({.level = "info", .event = "x", .message = std::string(9000, 'x')});
    (void)(*ledger)->database().Execute("UPDATE candidates SET text = 'none'");
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  const std::string before = *ReadFile(copy + "/ledger.sqlite"), journal = *ReadFile(copy + "/ledger.sqlite-journal");
  ASSERT_GT(journal.size(), 0U);
  const Report report = Check(copy);
  EXPECT_EQ(report.found(), 0);
  EXPECT_EQ(report.digest.all, digest);
  EXPECT_TRUE(*ReadFile(copy + "/ledger.sqlite") == before);
  EXPECT_TRUE(*ReadFile(copy + "/ledger.sqlite-journal") == journal);
}

TEST_F(FsckFilesTest, AFolderWithoutARunIsRefused) {
  EXPECT_EQ(CheckRun(folder_ + "/nothing").status().code(), Code::kNotFound);
  EXPECT_EQ(CheckRun(folder_).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace srlm::fsck
