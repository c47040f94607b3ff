#include "common/rpc/certificate.h"

#include <gtest/gtest.h>

#include "common/base/clock.h"

namespace srlm::rpc {
namespace {

using std::chrono::hours;

TEST(Certificate, NamesItsRunAndRoleAndItsEnd) {
  const auto authority = NewAuthority("run-1");
  ASSERT_TRUE(authority.ok()) << authority.status().message();
  const auto key = NewKey();
  const auto certificate = IssueCertificate(*authority, *key, {"run-1", "steer"}, hours(1));
  ASSERT_TRUE(certificate.ok()) << certificate.status().message();
  const auto facts = ReadCertificate(*certificate);
  ASSERT_TRUE(facts.ok()) << facts.status().message();
  EXPECT_EQ(facts->subject.run_id, "run-1");
  EXPECT_EQ(facts->subject.role, "steer");
  EXPECT_NEAR(static_cast<double>(facts->ends_ms - WallClockMs()), 3600e3, 10e3);
}

TEST(Certificate, AnExpiredOneCanBeMadeToBeRefused) {
  const auto authority = NewAuthority("run-1");
  const auto certificate = IssueCertificate(*authority, *NewKey(), {"run-1", "read"}, hours(-48));
  ASSERT_TRUE(certificate.ok());
  EXPECT_LT(ReadCertificate(*certificate)->ends_ms, WallClockMs());
}

TEST(Certificate, MatchesItsKeyAndNoOther) {
  const auto authority = NewAuthority("run-1");
  EXPECT_TRUE(Match(*authority));
  EXPECT_FALSE(Match({.key = *NewKey(), .certificate = authority->certificate}));
  EXPECT_FALSE(Match({.key = "", .certificate = authority->certificate}));
}

TEST(Certificate, WhatIsNoPemIsDataLoss) {
  const auto authority = NewAuthority("run-1");
  EXPECT_EQ(ReadCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n").status().code(), Code::kDataLoss);
  EXPECT_EQ(IssueCertificate(*authority, "no key", {"run-1", "read"}, hours(1)).status().code(), Code::kDataLoss);
  EXPECT_EQ(IssueCertificate({"", ""}, *NewKey(), {"run-1", "read"}, hours(1)).status().code(), Code::kDataLoss);
}

TEST(Certificate, ANameWithoutARoleNamesNobody) {
  for (const char* name : {"", "read", "@run-1"}) EXPECT_EQ(SubjectFromName(name).run_id, "") << name;
  EXPECT_EQ(SubjectFromName("read@a@b").run_id, "a@b");
}

}  // namespace
}  // namespace srlm::rpc
