#include "common/text/language.h"

#include "common/text/bytes.h"

namespace srlm::text {
namespace {

constexpr size_t kEnoughBytes = 1024;  // more text only takes more time

/// The start of a UTF-8 text, without half a character at its end.
std::string_view Start(std::string_view text) {
  if (text.size() <= kEnoughBytes) return text;
  text = text.substr(0, kEnoughBytes);
  return text.substr(0, srlm_text_valid_utf8(Data(text), text.size()));
}

}  // namespace

Result<std::unique_ptr<LanguageDetector>> LanguageDetector::Load() {
  SrlmTextLanguageDetector* detector = nullptr;
  SrlmTextBytes error{};
  if (srlm_text_language_load(&detector, &error) != 0) return InternalError(TakeString(error));
  return std::unique_ptr<LanguageDetector>(new LanguageDetector(detector));
}

LanguageDetector::~LanguageDetector() { srlm_text_language_free(detector_); }

Result<std::string> LanguageDetector::Detect(std::string_view text) const {
  SRLM_RETURN_IF_ERROR(CheckUtf8(text));
  const std::string_view start = Start(text);
  SrlmTextBytes code{};
  SrlmTextBytes error{};
  if (srlm_text_language_detect(detector_, Data(start), start.size(), &code, &error) != 0)
    return InternalError(TakeString(error));
  return TakeString(code);
}

}  // namespace srlm::text
