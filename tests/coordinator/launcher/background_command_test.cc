#include "coordinator/launcher/background_command.h"

#include <gtest/gtest.h>

#include <thread>

namespace srlm::launcher {
namespace {

Result<std::string> Await(BackgroundCommand& command) {
  const Deadline deadline = Deadline::AfterSeconds(20);
  while (!deadline.Expired()) {
    if (auto answer = command.Poll()) return std::move(*answer);
    std::this_thread::yield();
  }
  return DeadlineExceeded("the test waited too long");
}

TEST(BackgroundCommand, GivesWhatItPrinted) {
  auto command = BackgroundCommand::Start({"sh", "-c", "echo one; echo two >&2"}, Deadline::AfterSeconds(20));
  ASSERT_TRUE(command.ok()) << command.status().message();
  EXPECT_EQ(*Await(*command), "one\ntwo");
}

TEST(BackgroundCommand, AFailureHasItsWords) {
  auto command = BackgroundCommand::Start({"sh", "-c", "echo no such job; exit 3"}, Deadline::AfterSeconds(20));
  ASSERT_TRUE(command.ok());
  const auto answer = Await(*command);
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_NE(answer.status().message().find("no such job"), std::string::npos) << answer.status().message();
}

TEST(BackgroundCommand, OneThatDoesNotEndIsKilled) {
  auto command = BackgroundCommand::Start({"sleep", "1000"}, Deadline::AfterSeconds(0));
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(Await(*command).status().code(), Code::kDeadlineExceeded);
}

TEST(BackgroundCommand, AMissingProgramIsNamed) {
  const auto command = BackgroundCommand::Start({"srlm-no-such-program"}, Deadline::AfterSeconds(20));
  EXPECT_EQ(command.status().code(), Code::kNotFound);
  EXPECT_NE(command.status().message().find("srlm-no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace srlm::launcher
