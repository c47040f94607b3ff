#include "common/base/hash.h"

#include "common/base/file.h"
#include "tests/common/base/temporary_folder.h"

namespace srlm {
namespace {

constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-2

using HashTest = FolderTest;

TEST_F(HashTest, Sha256OfBytesAndFiles) {
  EXPECT_EQ(Sha256("abc"), kAbc);
  ASSERT_TRUE(WriteFileAtomic(Path("abc"), "abc").ok());
  EXPECT_EQ(*Sha256File(Path("abc")), kAbc);
  EXPECT_EQ(Sha256File(Path("none")).status().code(), Code::kNotFound);
}

TEST_F(HashTest, TokensAreHashedAsLittleEndianWords) {
  const std::vector<int> ids = {1, 258};
  EXPECT_EQ(Sha256Tokens(ids), Sha256(std::string("\1\0\0\0\2\1\0\0", 8)));
}

}  // namespace
}  // namespace srlm
