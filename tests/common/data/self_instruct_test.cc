#include "common/data/self_instruct.h"

#include <gtest/gtest.h>

#include <set>

namespace srlm::data {
namespace {

TEST(SelfInstruct, DrawsAreFunctionsOfTheStream) {
  const RandomStream stream(1, {2, 3});
  const Demonstrations a = DrawDemonstrations(stream, 40, 10, 6, 2);
  const Demonstrations b = DrawDemonstrations(stream, 40, 10, 6, 2);
  EXPECT_EQ(a.seeds, b.seeds);
  EXPECT_EQ(a.generated, b.generated);
  EXPECT_EQ(a.seeds.size(), 6u);
  EXPECT_EQ(a.generated.size(), 2u);
  EXPECT_EQ(std::set<int>(a.seeds.begin(), a.seeds.end()).size(), 6u);
  EXPECT_NE(a.seeds, DrawDemonstrations(stream.Child(1), 40, 10, 6, 2).seeds);
}

TEST(SelfInstruct, EverySeedIsDrawnAboutAsOften) {
  std::vector<int> counts(10);
  for (uint64_t i = 0; i < 5000; ++i)
    for (const int seed : DrawDemonstrations(RandomStream(5, {i}), 10, 0, 4, 0).seeds) ++counts[seed];
  for (const int count : counts) EXPECT_NEAR(count, 2000, 200);
}

TEST(SelfInstruct, OnePoolFillsWhatTheOtherLacks) {
  const RandomStream stream(1, {});
  const auto sizes = [&](int seeds, int generated) {
    const Demonstrations drawn = DrawDemonstrations(stream, seeds, generated, 6, 2);
    return std::pair(drawn.seeds.size(), drawn.generated.size());
  };
  EXPECT_EQ(sizes(40, 0), std::pair(size_t{8}, size_t{0}));
  EXPECT_EQ(sizes(40, 1), std::pair(size_t{7}, size_t{1}));
  EXPECT_EQ(sizes(3, 10), std::pair(size_t{3}, size_t{5}));
  EXPECT_EQ(sizes(2, 1), std::pair(size_t{2}, size_t{1}));
  EXPECT_EQ(sizes(0, 0), std::pair(size_t{0}, size_t{0}));
}

TEST(SelfInstruct, TheOrderIsAPermutation) {
  const std::vector<int> order = DrawOrder(RandomStream(3, {1}), 8);
  EXPECT_EQ(std::set<int>(order.begin(), order.end()), (std::set<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(SelfInstruct, TasksAreNumberedAndTheNextIsOpen) {
  const std::vector<std::string> instructions = {"Name a bird.", " Say\n\nhello \t twice. "};
  EXPECT_EQ(BuildSelfInstructPrompt(instructions),
            "Here is a list of varied tasks that people ask an assistant to do:\n\n"
            "Task 1: Name a bird.\n\nTask 2: Say hello twice.\n\nTask 3:");
}

TEST(SelfInstruct, TheInstructionEndsAtTheNextTaskOrEmptyLine) {
  const struct {
    const char* output;
    const char* text;
    bool complete;
  } cases[] = {
      {" Name a fish.\n\nTask 10: Name a cat.", "Name a fish.", true},
      {" Name a fish.\nTask 10: Name a cat.", "Name a fish.", true},
      {" Name a fish.\n**Task 10:** Name a cat.", "Name a fish.", true},
      {"\n\nName a fish.\n \nMore", "Name a fish.", true},
      {"Task 9: Name a fish.\n\n", "Name a fish.", true},
      {"**Task 9:** Name a fish.", "Name a fish.", false},
      {" \"Name a fish.\"\n\n", "Name a fish.", true},
      {" Say \"a\" and \"b\"", "Say \"a\" and \"b\"", false},
      {" Name a fish.\nIt must be red.", "Name a fish.\nIt must be red.", false},
      {" Name a fish.\nTask", "Name a fish.\nTask", false},
      {" Name a fish.\nTasks are many.", "Name a fish.\nTasks are many.", false},
      {" Name a fish.\nTask 1", "Name a fish.", true},
      {" Name a fish.\n", "Name a fish.", false},
      {"", "", false},
      {"\n\n", "", false},
  };
  for (const auto& each : cases) {
    const ExtractedInstruction found = ExtractInstruction(each.output);
    EXPECT_EQ(found.text, each.text) << each.output;
    EXPECT_EQ(found.complete, each.complete) << each.output;
  }
}

}  // namespace
}  // namespace srlm::data
