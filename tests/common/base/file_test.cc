#include "common/base/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/common/base/temporary_folder.h"

namespace srlm {
namespace {

using FileTest = FolderTest;

TEST_F(FileTest, AFileIsReplacedWholeAndNothingIsLeftBeside) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "first").ok());
  ASSERT_TRUE(WriteFileAtomic(Path("a"), std::string("sec\0nd", 6)).ok());
  EXPECT_EQ(*ReadFile(Path("a")), std::string("sec\0nd", 6));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, AWriteThatFailsLeavesTheFileAndNoTemporaryOne) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "as it was").ok());
  ASSERT_EQ(mkdir(Path("folder").c_str(), 0755), 0);
  EXPECT_FALSE(WriteFileAtomic(Path("folder"), "text").ok());
  EXPECT_FALSE(WriteFileAtomic(Path("none/a"), "text").ok());
  EXPECT_EQ(*ReadFile(Path("a")), "as it was");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 2);
}

TEST_F(FileTest, ReadersSeeOneVersionOrTheOther) {
  const std::string one(100000, '1'), two(100000, '2');
  ASSERT_TRUE(WriteFileAtomic(Path("a"), one).ok());
  const pid_t writer = fork();
  if (writer == 0) {
    for (int i = 0; i < 50; ++i)
      if (!WriteFileAtomic(Path("a"), i % 2 == 0 ? two : one).ok()) _exit(1);
    _exit(0);
  }
  int status = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    const auto content = ReadFile(Path("a"));
    ASSERT_TRUE(content.ok()) << content.status().message();
    EXPECT_TRUE(*content == one || *content == two);
  }
  EXPECT_EQ(status, 0);
}

TEST_F(FileTest, ErrorsSayWhatWhereAndWhy) {
  const Status missing = ReadFile(Path("none")).status();
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_NE(missing.message().find(Path("none")), std::string::npos);
  EXPECT_EQ(FileError("write", "f", ENOSPC).code(), Code::kResourceExhausted);
  EXPECT_EQ(FileError("write", "f", EDQUOT).code(), Code::kResourceExhausted);
  EXPECT_EQ(FileError("write", "f", EROFS).code(), Code::kResourceExhausted);
  EXPECT_EQ(FileError("write", "f", EACCES).code(), Code::kInvalidArgument);
  EXPECT_FALSE(CheckWritable(Path("none/a")).ok());
  EXPECT_FALSE(CheckWritable(folder_).ok());
  EXPECT_TRUE(CheckWritable(Path("new")).ok());
}

TEST_F(FileTest, AMappedFileIsItsBytes) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "bytes").ok());
  const auto mapped = MappedFile::Open(Path("a"));
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped->data()), mapped->size()), "bytes");
  ASSERT_TRUE(WriteFileAtomic(Path("empty"), "").ok());
  EXPECT_EQ(MappedFile::Open(Path("empty"))->size(), 0u);
  EXPECT_FALSE(MappedFile::Open(folder_).ok());
}

}  // namespace
}  // namespace srlm
