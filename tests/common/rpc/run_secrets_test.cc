#include "common/rpc/run_secrets.h"

#include <unistd.h>

#include <set>

#include "common/base/file.h"
#include "common/rpc/private_file.h"
#include "tests/common/rpc/run_folder.h"

namespace srlm::rpc {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

class RunSecretsTest : public RunFolderTest {
 protected:
  std::string Folder(Right right) const { return SecretsFolder(run_, right); }
};

TEST_F(RunSecretsTest, WhateverTheUmaskOnlyTheOwnerMayRead) {
  for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
    const std::string run = run_ + "/" + std::to_string(mask);
    ASSERT_TRUE(MakeFolders(run).ok());
    const mode_t before = umask(mask);
    const auto keys = PrepareSecrets(run, "run-1");
    umask(before);
    ASSERT_TRUE(keys.ok()) << keys.status().message();
    size_t files = 0;
    EXPECT_EQ(Mode(run + "/secrets"), mode_t{0700});
    for (const auto& entry : fs::recursive_directory_iterator(run + "/secrets")) {
      EXPECT_EQ(Mode(entry.path()), entry.is_directory() ? mode_t{0700} : mode_t{0600}) << entry.path();
      files += entry.is_regular_file();
    }
    EXPECT_EQ(files, 3 * kRights.size() + 1);  // nothing is left of writing
  }
}

TEST_F(RunSecretsTest, AnotherStartRenewsCertificatesAndKeepsKeysAndAuthority) {
  const auto first = PrepareSecrets(run_, "run-1", hours(1));
  ASSERT_TRUE(first.ok());
  const auto before = ReadKeys(Folder(Right::kWork));
  const auto second = PrepareSecrets(run_, "run-1", hours(2));
  const auto after = ReadKeys(Folder(Right::kWork));
  ASSERT_TRUE(before.ok() && second.ok() && after.ok());
  EXPECT_EQ(after->client.key, before->client.key);
  EXPECT_EQ(after->authority_certificate, before->authority_certificate);
  EXPECT_EQ(second->authority_certificate, first->authority_certificate);
  EXPECT_GT(ReadCertificate(after->client.certificate)->ends_ms, ReadCertificate(before->client.certificate)->ends_ms);
  EXPECT_NE(second->server.key, first->server.key);
}

TEST_F(RunSecretsTest, EachRightHasAKeyOfItsOwn) {
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  std::set<std::string> keys;
  for (const Right right : kRights) {
    const auto read = ReadKeys(Folder(right));
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(read->run_id, "run-1");
    EXPECT_EQ(ReadCertificate(read->client.certificate)->subject.role, RightName(right));
    keys.insert(read->client.key);
  }
  EXPECT_EQ(keys.size(), kRights.size());
}

TEST_F(RunSecretsTest, AFolderThatOthersMayReadIsRefusedWithWhatToDo) {
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  for (const std::string& path : {run_ + "/secrets", run_ + "/secrets/authority", run_ + "/secrets/authority/ca.pem",
                                  Folder(Right::kSteer), Folder(Right::kSteer) + "/client.key"}) {
    const mode_t before = Mode(path);
    for (const mode_t more : {mode_t{0040}, mode_t{0004}, mode_t{0001}}) {
      ASSERT_EQ(chmod(path.c_str(), before | more), 0);
      const Status status = PrepareSecrets(run_, "run-1").status();
      EXPECT_EQ(status.code(), Code::kFailedPrecondition) << path;
      EXPECT_NE(status.message().find("chmod"), std::string::npos) << status.message();
      EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
      if (path.starts_with(Folder(Right::kSteer))) {
        EXPECT_EQ(ReadKeys(Folder(Right::kSteer)).status().code(), Code::kFailedPrecondition);
      }
    }
    ASSERT_EQ(chmod(path.c_str(), before), 0);
  }
  ASSERT_EQ(chmod(run_.c_str(), 0707), 0);
  EXPECT_NE(PrepareSecrets(run_, "run-1").status().message().find("chmod o-w"), std::string::npos);
  ASSERT_EQ(chmod(run_.c_str(), 0755), 0);
  EXPECT_TRUE(PrepareSecrets(run_, "run-1").ok());
}

TEST_F(RunSecretsTest, SomebodyElsesFolderIsRefused) {
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  const std::string work = Folder(Right::kWork);
  if (geteuid() != 0) {  // only root may give a folder away; the root folder is somebody else's, too
    EXPECT_EQ(CheckOwner("/").code(), Code::kFailedPrecondition);
    return;
  }
  ASSERT_EQ(chown(work.c_str(), 12345, 12345), 0);
  const Status status = PrepareSecrets(run_, "run-1").status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("12345"), std::string::npos) << status.message();
}

TEST_F(RunSecretsTest, AnAuthorityOfAnotherRunOrATornOneIsNotReplacedInSilence) {
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  EXPECT_EQ(PrepareSecrets(run_, "run-2").status().code(), Code::kDataLoss);
  const std::string path = run_ + "/secrets/authority/ca.pem";
  const std::string whole = *ReadFile(path);
  for (const size_t bytes : {size_t{0}, whole.size() / 3, whole.size() - 40}) {
    ASSERT_EQ(truncate(path.c_str(), 0), 0);
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    FILE* file = fopen(path.c_str(), "w");
    fwrite(whole.data(), 1, bytes, file);
    fclose(file);
    const Status status = PrepareSecrets(run_, "run-1").status();
    EXPECT_EQ(status.code(), Code::kDataLoss) << bytes;
    EXPECT_NE(status.message().find("delete"), std::string::npos) << status.message();
  }
}

TEST_F(RunSecretsTest, MissingExpiredAndMixedKeysAreToldApart) {
  EXPECT_EQ(ReadKeys(Folder(Right::kRead)).status().code(), Code::kNotFound);
  ASSERT_TRUE(PrepareSecrets(run_, "run-1", hours(-1)).ok());
  const Status expired = ReadKeys(Folder(Right::kRead)).status();
  EXPECT_EQ(expired.code(), Code::kFailedPrecondition);
  EXPECT_NE(expired.message().find("expired"), std::string::npos) << expired.message();
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  EXPECT_TRUE(ReadKeys(Folder(Right::kRead)).ok());
  fs::copy_file(Folder(Right::kWork) + "/client.crt", Folder(Right::kRead) + "/client.crt",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(ReadKeys(Folder(Right::kRead)).status().code(), Code::kDataLoss);
}

TEST_F(RunSecretsTest, MessagesHoldNoKey) {
  ASSERT_TRUE(PrepareSecrets(run_, "run-1").ok());
  ASSERT_EQ(chmod((Folder(Right::kRead) + "/client.key").c_str(), 0644), 0);
  for (const Status& status : {PrepareSecrets(run_, "run-1").status(), PrepareSecrets(run_, "run-2").status(),
                               ReadKeys(Folder(Right::kRead)).status()})
    EXPECT_EQ(status.message().find("BEGIN"), std::string::npos);
}

}  // namespace
}  // namespace srlm::rpc
