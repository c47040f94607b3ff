#include "coordinator/launcher/command.h"

#include <gtest/gtest.h>

namespace srlm::launcher {
namespace {

using Words = std::vector<std::string>;
const CommandValues kValues{.ranks = 3, .program = {"/bin/p q", "--run", "a b"}, .hostfile = "/h"};

TEST(ExpandCommand, FillsPlaceholdersAndKeepsTheProgramsWordsWhole) {
  const auto words = ExpandCommand("mpirun -n {ranks} --hostfile={hostfile} {program}", kValues);
  ASSERT_TRUE(words.ok()) << words.status().message();
  EXPECT_EQ(*words, (Words{"mpirun", "-n", "3", "--hostfile=/h", "/bin/p q", "--run", "a b"}));
}

TEST(ExpandCommand, QuotesKeepSpacesAndEmptyWords) {
  const auto words = ExpandCommand("  'a b' c\"d e\" '' {program}", {.ranks = 1, .program = {"p"}, .hostfile = ""});
  ASSERT_TRUE(words.ok()) << words.status().message();
  EXPECT_EQ(*words, (Words{"a b", "cd e", "", "p"}));
}

TEST(ExpandCommand, PresetsAskForTheRanks) {
  for (const char* preset : {kLaptopCommand, kClusterCommand, kHostsCommand}) {
    const auto words = ExpandCommand(preset, kValues);
    ASSERT_TRUE(words.ok()) << words.status().message();
    EXPECT_EQ(words->front(), "mpirun");
    EXPECT_NE(std::find(words->begin(), words->end(), "3"), words->end());
  }
}

TEST(ExpandCommand, SaysWhatIsWrong) {
  const auto message = [](const char* command) {
    const auto words = ExpandCommand(command, {.ranks = 1, .program = {"p"}, .hostfile = ""});
    EXPECT_FALSE(words.ok()) << command;
    EXPECT_EQ(words.status().code(), Code::kInvalidArgument);
    return words.ok() ? "" : words.status().message();
  };
  EXPECT_NE(message("mpirun -n {ranks}").find("{program} is missing"), std::string::npos);
  EXPECT_NE(message("mpirun -n {rank} {program}").find("{rank}"), std::string::npos);
  EXPECT_NE(message("mpirun 'a {program}").find("does not end"), std::string::npos);
  EXPECT_NE(message("mpirun --hostfile {hostfile} {program}").find("{hostfile}"), std::string::npos);
  EXPECT_NE(message("").find("{program}"), std::string::npos);
}

}  // namespace
}  // namespace srlm::launcher
