// Checksums: SHA-256 of bytes and of files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);

/// SHA-256 of a file's content. NotFound or DataLoss with the path when it cannot be read whole.
Result<std::string> Sha256File(const std::string& path);

/// SHA-256 of token ids (each as four little-endian bytes): the name of a text in the ledger.
std::string Sha256Tokens(std::span<const int> token_ids);

}  // namespace srlm
