// Ownership of what the crate hands out, and its errors as Status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/text/crate/srlm_text.h"

namespace srlm::text {

inline const uint8_t* Data(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

/// The crate's string as ours; the crate's copy is freed.
std::string TakeString(SrlmTextBytes bytes);

/// The crate's token ids as ours; the crate's copy is freed.
std::vector<int> TakeIds(SrlmTextIds ids);

/// InvalidArgument naming the first bad byte unless `text` is UTF-8.
Status CheckUtf8(std::string_view text);

}  // namespace srlm::text
