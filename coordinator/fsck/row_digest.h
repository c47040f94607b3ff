// The digest of rows: SHA-256 over every value of every row, in the order given.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/hash.h"
#include "coordinator/ledger/tables.h"

namespace srlm::fsck {

/// Each value is written with its length or as eight little-endian bytes, so that no two lists of rows give the same
/// bytes. Which columns there are follows from the ledger's tables.
class RowDigest {
 public:
  template <class Row>
  void Add(const Row& row) {
    std::apply([&](const auto&... member) { (Put(member), ...); }, ledger::Table<Row>::Members(row));
  }
  void Put(const std::string& text) {
    PutBits(text.size());
    stream_.Add(text);
  }
  std::string Finish() { return stream_.Finish(); }

 private:
  void PutBits(uint64_t value) {
    static_assert(std::endian::native == std::endian::little);
    stream_.Add({reinterpret_cast<const char*>(&value), sizeof value});
  }
  template <std::integral T>
  void Put(T value) {
    PutBits(static_cast<uint64_t>(value));
  }
  void Put(double value) { PutBits(std::bit_cast<uint64_t>(value)); }
  void Put(const std::optional<double>& value) {
    PutBits(value.has_value());
    Put(value.value_or(0));
  }
  void Put(const std::vector<int>& values) {
    PutBits(values.size());
    stream_.Add({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int)});
  }
  void Put(const std::vector<std::string>& texts) {
    PutBits(texts.size());
    for (const std::string& text : texts) Put(text);
  }
  void Put(const data::PromptInput& input) {
    Put(input.raw);
    Put(input.raw_text);
    PutBits(input.messages.size());
    for (const Message& message : input.messages) {
      Put(message.role);
      Put(message.content);
    }
  }

  Sha256Stream stream_;
};

}  // namespace srlm::fsck
