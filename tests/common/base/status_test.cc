#include "common/base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace srlm {
namespace {

Result<std::unique_ptr<int>> Half(int number) {
  if (number % 2 != 0) return InvalidArgument("odd");
  return std::make_unique<int>(number / 2);
}

Result<int> Quarter(int number) {
  SRLM_ASSIGN_OR_RETURN(const std::unique_ptr<int> half, Half(number));
  SRLM_ASSIGN_OR_RETURN(const std::unique_ptr<int> quarter, Half(*half));
  return *quarter;
}

TEST(Status, ContextStandsBeforeTheMessageOfAFailureOnly) {
  EXPECT_TRUE(OkStatus().WithContext("reading").ok());
  const Status status = NotFound("gone").WithContext("reading");
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_EQ(status.message(), "reading: gone");
}

TEST(Status, ResultsPassValuesAndFailuresOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "odd");
  EXPECT_EQ(Quarter(3).status().code(), Code::kInvalidArgument);
}

TEST(StatusDeathTest, TheValueOfAFailureAbortsWithItsMessage) {
  EXPECT_DEATH((void)Quarter(3).value(), "broken invariant.*odd");
}

TEST(Status, CodesHaveTheNamesThatCrossTheWire) {
  EXPECT_EQ(CodeName(Code::kFailedPrecondition), "failed_precondition");
  EXPECT_EQ(CodeName(Code::kDataLoss), "data_loss");
}

}  // namespace
}  // namespace srlm
