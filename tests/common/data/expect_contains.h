// What the data tests share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/temporary_folder.h"

namespace srlm::data {

inline void ExpectContains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in:\n" << text;
}

}  // namespace srlm::data
