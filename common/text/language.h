// Which language a text is written in: the Rust crate `lingua`, chosen because it is right on short texts too.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/text/crate/srlm_text.h"

namespace srlm::text {

/// Tells Dutch, English, French, German, Italian, Polish, Portuguese and Spanish apart. Any other language in Latin
/// letters is taken for the nearest of these, and a text in other letters for none. Thread-safe after Load.
class LanguageDetector {
 public:
  static Result<std::unique_ptr<LanguageDetector>> Load();
  ~LanguageDetector();
  LanguageDetector(const LanguageDetector&) = delete;
  LanguageDetector& operator=(const LanguageDetector&) = delete;

  /// ISO 639-1 code of the most likely language ("en"), by the text's first kilobyte; empty when none can be told, as
  /// of "2+2?". InvalidArgument when the text is not UTF-8.
  Result<std::string> Detect(std::string_view text) const;

 private:
  explicit LanguageDetector(SrlmTextLanguageDetector* detector) : detector_(detector) {}
  SrlmTextLanguageDetector* detector_;
};

}  // namespace srlm::text
