// Texts that differ in nothing but case, punctuation and spaces have the same normal form.
#pragma once

#include <string>
#include <string_view>

namespace srlm::data {

/// `text` in lower case (A to Z), each run of spaces and punctuation as one space, none at its ends. Beyond ASCII the
/// blocks of general and CJK punctuation, the no-break space and the marks of Latin-1 count as such; other characters
/// stay as they are. A text of nothing else becomes empty.
std::string NormalForm(std::string_view text);

}  // namespace srlm::data
