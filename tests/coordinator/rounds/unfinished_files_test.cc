#include "coordinator/rounds/unfinished_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/file.h"
#include "tests/coordinator/rounds/run_files.h"

namespace srlm::rounds {
namespace {

using UnfinishedFilesTest = RunFilesTest;

TEST_F(UnfinishedFilesTest, TheOwnerRemovesWhatADeadCoordinatorWroteAndNothingElse) {
  const std::string run = RunDir();
  const std::string dead = "999999999", alive = std::to_string(getppid());
  const std::vector<std::string> left = {
      "config.yaml.tmp." + dead, "jobs/sft/data.jsonl.tmp." + dead,     "ledger.sqlite.tmp." + dead + "-journal",
      "owner.lock.host." + dead, "secrets/read/client.crt.tmp." + dead,
  };
  const std::vector<std::string> others = {
      "config.yaml.tmp." + alive,
      "jobs/sft/checkpoints/.tmp-step-00000001",
      "logs/srlm-worker/unacknowledged-w.jsonl.tmp." + dead,
      "models/M1.tmp." + dead,
  };
  std::vector<std::string> all = left;
  all.insert(all.end(), others.begin(), others.end());
  for (const char* path : {"config.yaml", "owner.lock", "owner.lock.bak", "notes.tmp.txt"}) all.push_back(path);
  for (const std::string& path : all) {
    ASSERT_TRUE(MakeFolders(std::filesystem::path(run + "/" + path).parent_path().string()).ok());
    ASSERT_TRUE(WriteFileAtomic(run + "/" + path, "").ok());
  }
  EXPECT_EQ(FindUnfinishedFiles(run).size(), left.size() + others.size());
  RemoveUnfinishedFiles(run);
  EXPECT_EQ(FindUnfinishedFiles(run), others);
  for (const char* path : {"config.yaml", "owner.lock", "owner.lock.bak", "notes.tmp.txt"})
    EXPECT_TRUE(std::filesystem::exists(run + "/" + path)) << path;
}

}  // namespace
}  // namespace srlm::rounds
