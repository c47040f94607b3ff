#include "coordinator/cli/table.h"

#include <gtest/gtest.h>

namespace srlm::cli {
namespace {

TEST(Table, AlignsNumbersOnTheRightAndTextOnTheLeft) {
  Table table({{"n", true}, {"name"}});
  table.AddRow({"1", "日本"});
  table.AddRow({"200", "b"});
  EXPECT_EQ(table.Render(80), "  n  name\n  1  日本\n200  b\n");
}

TEST(Table, CutsTheGrowingColumnToTheWidth) {
  Table table({{"id"}, {"text", false, true}});
  table.AddRow({"p1", std::string(100, 'x')});
  EXPECT_EQ(table.Render(30), "id  text\np1  " + std::string(23, 'x') + "...\n");
}

TEST(Table, KeepsARowOnOneLine) {
  Table table({{"text"}});
  table.AddRow({"a\nb"});
  EXPECT_EQ(table.Render(80), "text\na b\n");
}

}  // namespace
}  // namespace srlm::cli
