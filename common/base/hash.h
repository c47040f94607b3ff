// Checksums: SHA-256 of bytes and of files.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);

/// SHA-256 of a file's content; `progress` is called after each MiB. NotFound or DataLoss with the path when it cannot
/// be read whole.
Result<std::string> Sha256File(const std::string& path, const std::function<void()>& progress = [] {});

/// SHA-256 of token ids (each as four little-endian bytes): the name of a text in the ledger.
std::string Sha256Tokens(std::span<const int> token_ids);

}  // namespace srlm
