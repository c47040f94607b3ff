#include "common/data/normal_form.h"

#include <gtest/gtest.h>

namespace srlm::data {
namespace {

TEST(NormalForm, CasePunctuationAndSpacesMakeNoDifference) {
  for (const char* text : {"Name a river in  France.", "name a river in france", " NAME a river, in France?! ",
                           "\"Name\ta river\" - in France...", "Name a\xc2\xa0river\xe2\x80\x94in France\xe2\x80\xa6",
                           "\xe2\x80\x9cName a river\xe2\x80\x9d in\xe3\x80\x80"
                           "France\xe3\x80\x82",
                           "\xc2\xbfName a river in France\xef\xbc\x9f"})
    EXPECT_EQ(NormalForm(text), "name a river in france") << text;
}

TEST(NormalForm, OtherCharactersDo) {
  EXPECT_NE(NormalForm("Name a river"), NormalForm("Name a rivers"));
  EXPECT_NE(NormalForm("It is 2 x 3"), NormalForm("It is 2 x 4"));
  EXPECT_EQ(NormalForm("Caf\xc3\xa9 \xe6\xb2\xb3"), "caf\xc3\xa9 \xe6\xb2\xb3");
  EXPECT_NE(NormalForm("\xe6\xb2\xb3\xe6\xb5\x81"), NormalForm("\xe6\xb5\xb7\xe6\xb4\x8b"));  // no token of ROUGE's
  EXPECT_EQ(NormalForm("5 \xc2\xb5m, 3 m\xc2\xb2"), "5 \xc2\xb5m 3 m\xc2\xb2");
  EXPECT_EQ(NormalForm("\xef\xbc\xa1\xef\xbc\x91"), "\xef\xbc\xa1\xef\xbc\x91");  // full-width letters and digits
}

TEST(NormalForm, NothingButMarksIsEmptyAndBrokenUtf8Stays) {
  EXPECT_EQ(NormalForm(" ?! \xe2\x80\xa6"), "");
  EXPECT_EQ(NormalForm(""), "");
  EXPECT_EQ(NormalForm("a\xe2\x80"), "a\xe2\x80");
  EXPECT_EQ(NormalForm("a\xc2"), "a\xc2");
}

}  // namespace
}  // namespace srlm::data
