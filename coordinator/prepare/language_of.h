// How a text's language is told: text::LanguageDetector, or what a test says.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::prepare {

/// ISO 639-1 code of a text's language; empty when it cannot be told.
using LanguageOf = std::function<Result<std::string>(std::string_view)>;

}  // namespace srlm::prepare
