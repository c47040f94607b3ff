// Checksums: SHA-256 of bytes and of files.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);

/// SHA-256 of bytes that come piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  ~Sha256Stream();
  void Add(std::string_view bytes);
  /// The hash of all that was added, as Sha256 gives it. Ends the stream.
  std::string Finish();

 private:
  struct Digest;
  std::unique_ptr<Digest> digest_;
};

/// SHA-256 of a file's content; `progress` is called after each MiB. NotFound or DataLoss with the path when it cannot
/// be read whole.
Result<std::string> Sha256File(const std::string& path, const std::function<void()>& progress = [] {});

/// SHA-256 of token ids (each as four little-endian bytes): the name of a text in the ledger.
std::string Sha256Tokens(std::span<const int> token_ids);

}  // namespace srlm
